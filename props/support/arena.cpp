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

// At rest every arena is all zeros and closed.
struct Idle {
  std::uint64_t size;
  std::vector<std::byte*> arenas;
};

// Those of one size. Few sizes are in use; thread-local, so without locks.
std::vector<std::byte*>& idle(std::uint64_t size) {
  thread_local std::vector<Idle> sizes;
  const auto found = std::ranges::find(sizes, size, &Idle::size);
  return found != sizes.end() ? found->arenas : sizes.emplace_back(Idle{size, {}}).arenas;
}

}  // namespace

Arena::Arena(std::uint64_t size) : size_(size) {
  opened_.reserve(16);
  std::vector<std::byte*>& known = idle(size);
  if (!known.empty()) {
    data_ = known.back();
    known.pop_back();
    return;
  }
  void* const fresh = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  require(fresh != MAP_FAILED, "cannot map {} bytes for the check itself", size);
  ASAN_POISON_MEMORY_REGION(fresh, size);
  data_ = static_cast<std::byte*>(fresh);
}

Arena::~Arena() {
  if (data_ == nullptr) {
    return;
  }
  for (const Part& part : opened_) {
    const std::uint64_t bytes = part.end - part.begin;
    // Of a very long part the kernel knows better where it was touched.
    if (bytes > part_bytes_read) {
      madvise(data_ + part.begin, bytes, MADV_DONTNEED);
    } else {
      clear(part.begin, bytes);
    }
    ASAN_POISON_MEMORY_REGION(data_ + part.begin, bytes);
  }
  idle(size_).push_back(data_);
}

void Arena::open(std::uint64_t offset, std::uint64_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(data_ + offset, bytes);
  const Part part = {offset, offset + bytes};
  const auto holds = [&](const Part& old) {
    return old.begin <= part.begin && part.end <= old.end;
  };
  if (std::ranges::none_of(opened_, holds)) {
    opened_.push_back(part);
  }
}

// Pages that were not written keep the kernel's one page of zeros, or none; what was stays resident
// for the next arena. A fault costs more than to look at many pages.
void Arena::clear(std::uint64_t offset, std::uint64_t bytes) {
  for (std::uint64_t at = 0; at < bytes; at += page_bytes) {
    const std::uint64_t here = std::min(page_bytes, bytes - at);
    std::byte* const begin = data_ + offset + at;
    if (!is_zero(begin, here)) {
      std::memset(begin, 0, here);
    }
  }
}

}  // namespace strata::check
