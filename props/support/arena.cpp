#include "props/support/arena.hpp"

#include <sanitizer/asan_interface.h>  // its macros do nothing without ASan
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "props/support/violation.hpp"
#include "props/support/zeros.hpp"

namespace strata::check {

namespace {

constexpr std::uint64_t part_bytes_read = std::uint64_t{1} << 20;
constexpr std::uint64_t page_bytes = 4096;

}  // namespace

// Few sizes are in use.
std::vector<Arena::Room>& Arena::idle(std::uint64_t size) {
  struct OfOneSize {
    std::uint64_t size;
    std::vector<Room> rooms;
  };
  thread_local std::vector<OfOneSize> sizes;
  const auto found = std::ranges::find(sizes, size, &OfOneSize::size);
  return found != sizes.end() ? found->rooms : sizes.emplace_back(OfOneSize{size, {}}).rooms;
}

Arena::Arena(std::uint64_t size) {
  std::vector<Room>& known = idle(size);
  if (!known.empty()) {
    room_ = std::move(known.back());
    known.pop_back();
    return;
  }
  void* const fresh = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(fresh != MAP_FAILED, "cannot map {} bytes for the check itself", size);
  ASAN_POISON_MEMORY_REGION(fresh, size);
  room_ = {static_cast<std::byte*>(fresh), size, {}};
}

Arena::~Arena() {
  if (room_.data == nullptr) {
    return;
  }
  for (const Part& part : room_.opened) {
    const std::uint64_t bytes = part.end - part.begin;
    // Of a very long part the kernel knows better where it was touched.
    if (bytes > part_bytes_read) {
      madvise(room_.data + part.begin, bytes, MADV_DONTNEED);
    } else {
      clear(part.begin, bytes);
    }
    ASAN_POISON_MEMORY_REGION(room_.data + part.begin, bytes);
  }
  room_.opened.clear();
  idle(room_.size).push_back(std::move(room_));
}

void Arena::open(std::uint64_t offset, std::uint64_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(room_.data + offset, bytes);
  const Part part = {offset, offset + bytes};
  const auto holds = [&](const Part& old) {
    return old.begin <= part.begin && part.end <= old.end;
  };
  if (std::ranges::none_of(room_.opened, holds)) {
    room_.opened.push_back(part);
  }
}

// Pages that were not written keep the kernel's one page of zeros, or none; what was stays resident
// for the next arena. A fault costs more than to look at many pages.
void Arena::clear(std::uint64_t offset, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes; at += page_bytes) {
    const std::uint64_t here = std::min(page_bytes, bytes - at);
    std::byte* const begin = room_.data + offset + at;
    if (!is_zero(begin, here)) {
      std::memset(begin, 0, here);
    }
  }
}

}  // namespace strata::check
