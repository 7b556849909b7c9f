// The malloc family. Errors are glibc's: null and ENOMEM, the old block left alone.
#include "abi/malloc.hpp"

#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace strata {

namespace {

void* to_pointer(Address address) { return reinterpret_cast<void*>(address); }
Address to_address(void* pointer) { return reinterpret_cast<Address>(pointer); }

void* or_enomem(Address address) {
  if (address == 0) [[unlikely]] {
    errno = ENOMEM;
  }
  return to_pointer(address);
}

// a * b, or a size that nothing can serve.
std::size_t product(std::size_t a, std::size_t b) {
  std::size_t bytes = 0;
  return __builtin_mul_overflow(a, b, &bytes) ? PTRDIFF_MAX : bytes;
}

}  // namespace

void* Process::malloc_miss(std::size_t size_bytes) noexcept {
  const InCall in_call;
  return or_enomem(process_allocator().allocate_miss(own_cache(), size_bytes).address);
}

void Process::free_miss(void* pointer) noexcept {
  const InCall in_call;
  if (pointer != nullptr) {
    process_allocator().take_back(own_cache_to_free(), to_address(pointer));
  }
}

void* allocate_aligned(std::size_t size_bytes, std::size_t align_bytes) noexcept {
  const InCall in_call;
  return or_enomem(process_allocator().allocate_aligned(own_cache(), size_bytes, align_bytes));
}

namespace {

void* allocate_zeroed(std::size_t size_bytes) {
  const InCall in_call;
  ProcessAllocator& allocator = process_allocator();
  const Allocation allocation = allocator.allocate_known(own_cache(), size_bytes);
  void* const pointer = or_enomem(allocation.address);
  if (pointer != nullptr && !allocation.known_zero &&
      !allocator.drop_contents(allocation.address, size_bytes)) {
    std::memset(pointer, 0, size_bytes);
  }
  return pointer;
}

void* reallocate(void* old, std::size_t size_bytes) {
  const InCall in_call;
  ProcessAllocator& allocator = process_allocator();
  const std::uint64_t usable = allocator.usable_bytes(to_address(old));
  if (usable == 0) {
    allocator.report_unknown(to_address(old));
    return nullptr;
  }
  if (allocator.resize_in_place(to_address(old), size_bytes)) {
    return old;
  }
  void* const moved = or_enomem(allocator.allocate_grown(own_cache(), usable, size_bytes));
  if (moved == nullptr && size_bytes <= usable) {
    return old;  // nothing is left to shrink into
  }
  if (moved != nullptr) {
    const std::size_t copied = std::min<std::size_t>(usable, size_bytes);
    allocator.expect_copy(to_address(moved), copied);
    std::memcpy(moved, old, copied);
    free_inline<Process>(old);
  }
  return moved;
}

}  // namespace

}  // namespace strata

using namespace strata;

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size_bytes) { return malloc_inline<Process>(size_bytes); }

void free(void* pointer) { free_inline<Process>(pointer); }

void cfree(void* pointer) { free_inline<Process>(pointer); }

void free_sized(void* pointer, std::size_t) { free_inline<Process>(pointer); }

void free_aligned_sized(void* pointer, std::size_t, std::size_t) { free_inline<Process>(pointer); }

void* calloc(std::size_t count, std::size_t size_bytes) {
  return allocate_zeroed(product(count, size_bytes));
}

// As in glibc, realloc(p, 0) frees and returns null.
void* realloc(void* pointer, std::size_t size_bytes) {
  if (pointer == nullptr) {
    return malloc_inline<Process>(size_bytes);
  }
  if (size_bytes == 0) {
    free_inline<Process>(pointer);
    return nullptr;
  }
  return reallocate(pointer, size_bytes);
}

void* reallocarray(void* pointer, std::size_t count, std::size_t size_bytes) {
  return realloc(pointer, product(count, size_bytes));
}

// As in glibc, other alignments are rounded up to a power of two.
void* memalign(std::size_t align_bytes, std::size_t size_bytes) {
  if (align_bytes > MallocPlan::align_max) {
    errno = ENOMEM;
    return nullptr;
  }
  return allocate_aligned(size_bytes, std::bit_ceil(align_bytes));
}

void* aligned_alloc(std::size_t align_bytes, std::size_t size_bytes) {
  if (!std::has_single_bit(align_bytes)) {
    errno = EINVAL;
    return nullptr;
  }
  return allocate_aligned(size_bytes, align_bytes);
}

int posix_memalign(void** result, std::size_t align_bytes, std::size_t size_bytes) {
  if (!std::has_single_bit(align_bytes) || align_bytes % sizeof(void*) != 0) {
    return EINVAL;
  }
  const int saved = errno;  // POSIX returns the error and leaves errno alone
  void* const pointer = allocate_aligned(size_bytes, align_bytes);
  errno = saved;
  if (pointer == nullptr) {
    return ENOMEM;
  }
  *result = pointer;
  return 0;
}

void* valloc(std::size_t size_bytes) {
  return allocate_aligned(size_bytes, MallocPlan::page_bytes);
}

void* pvalloc(std::size_t size_bytes) {
  if (size_bytes > PTRDIFF_MAX) {
    errno = ENOMEM;
    return nullptr;
  }
  return valloc(round_up<std::uint64_t>(size_bytes, MallocPlan::page_bytes));
}

std::size_t malloc_usable_size(void* pointer) {
  return pointer == nullptr ? 0 : process_allocator().usable_bytes(to_address(pointer));
}

}  // extern "C"
#pragma GCC visibility pop
