#include "memory/linux.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace strata {

namespace {

// malloc and free keep errno, except where they say otherwise.
class KeepErrno {
 public:
  KeepErrno() : saved_(errno) {}
  ~KeepErrno() { errno = saved_; }
  KeepErrno(const KeepErrno&) = delete;
  KeepErrno& operator=(const KeepErrno&) = delete;

 private:
  int saved_;
};

// On both sides of what the allocator itself writes to: never made writable, so that who runs over
// an end of the heap, or of something else that lies there, stops before it.
constexpr std::uint64_t guard_bytes = 64 << 10;

void* map(void* hint, std::uint64_t size) {
  void* address = mmap(hint, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return address == MAP_FAILED ? nullptr : address;
}

std::uint64_t as_number(const void* address) { return reinterpret_cast<std::uint64_t>(address); }

}  // namespace

std::uint64_t Linux::address_space_max() {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return ~std::uint64_t{0};
  }
  return limit.rlim_cur / 2;
}

std::uint32_t Linux::processors() {
  const KeepErrno keep;
  cpu_set_t set;
  // The set is too small for a kernel of more than 1024 processors.
  const long count =
      sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<std::uint32_t>(std::max(count, 1L));
}

// An aligned place if the kernel gives one, else any: the base is then rounded down and the slots
// before the mapping are absent. So no slack is ever reserved.
Linux::Mapping Linux::reserve_heap(std::uint64_t size, std::uint64_t align) {
  void* address = map(nullptr, size);
  if (address == nullptr || as_number(address) % align == 0) {
    return {address, size};
  }
  munmap(address, size);
  void* const hint = reinterpret_cast<void*>(as_number(address) & ~(align - 1));
  return {map(hint, size), size};  // only a hint: the kernel may put it elsewhere
}

bool Linux::reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
  const KeepErrno keep;
  for (std::size_t i = 0; i < space_count; ++i) {
    const std::uint64_t guarded = sizes[i] + 2 * guard_bytes;
    mappings_[i] = i == index(Space::heap) ? reserve_heap(sizes[i], heap_align)
                                           : Mapping{map(nullptr, guarded), guarded};
    if (mappings_[i].address == nullptr) {
      release();
      return false;
    }
    bases_[i] = static_cast<std::byte*>(mappings_[i].address) + guard_bytes;
  }
  const std::uint64_t first = as_number(mappings_[index(Space::heap)].address);
  const std::uint64_t base = first & ~(heap_align - 1);
  bases_[index(Space::heap)] = reinterpret_cast<std::byte*>(base);
  present_ = {first - base, first - base + sizes[index(Space::heap)]};
  return true;
}

void Linux::release() {
  const KeepErrno keep;
  for (std::size_t i = 0; i < space_count; ++i) {
    if (mappings_[i].address != nullptr) {
      munmap(mappings_[i].address, mappings_[i].size);
    }
    mappings_[i] = {};
    bases_[i] = nullptr;
  }
  present_ = {};
}

bool Linux::commit(Space space, std::uint64_t offset, std::uint64_t size) {
  const KeepErrno keep;
  return mprotect(address(space, offset), size, PROT_READ | PROT_WRITE) == 0;
}

bool Linux::decommit(Space space, std::uint64_t offset, std::uint64_t size) {
  const KeepErrno keep;
  return madvise(address(space, offset), size, MADV_DONTNEED) == 0;
}

void Linux::advise(Space space, std::uint64_t offset, std::uint64_t size, Pages pages) {
  const KeepErrno keep;
  // Refused by a kernel without huge pages: then pages are small.
  (void)madvise(address(space, offset), size,
                pages == Pages::huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
}

void Linux::populate(Space space, std::uint64_t offset, std::uint64_t size) {
  const KeepErrno keep;
  // Since Linux 5.14. Before that, and where memory is short, pages come when they are touched.
  (void)madvise(address(space, offset), size, MADV_POPULATE_WRITE);
}

std::uint64_t Linux::now_ms() const {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

}  // namespace strata
