// The malloc family. Errors are glibc's: null and ENOMEM, the old block left alone.
#include "abi/malloc.hpp"

#include <bit>
#include <cassert>
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

void copy(const Allocation& to, const void* from, std::size_t begin, std::size_t end) {
  process_allocator().expect_copy(to.address + begin, end - begin);
  std::memcpy(to_pointer(to.address + begin), static_cast<const std::byte*>(from) + begin,
              end - begin);
}

// Where the new memory is known to be zero, zeros of a chunk's size are not copied: how much of a
// large block was ever touched is not known, and so what was not stays so.
[[gnu::noinline]]
void copy_but_zeros(const Allocation& to, const void* from, std::size_t bytes) {
  constexpr std::size_t piece_bytes = MallocPlan::chunk_bytes;
  const auto is_zero = [&](std::size_t at) {
    const auto* const piece = static_cast<const std::byte*>(from) + at;
    const std::size_t count = std::min(piece_bytes, bytes - at);
    return piece[0] == std::byte{0} && std::memcmp(piece, piece + 1, count - 1) == 0;
  };
  for (std::size_t begin = 0, end = 0; begin < bytes; begin = end + piece_bytes) {
    for (end = begin; end < bytes && !is_zero(end);) {
      end += piece_bytes;
    }
    if (begin < end) {
      copy(to, from, begin, std::min(end, bytes));
    }
  }
}

// Not a part of realloc: Lua, for one, allocates and frees by it alone.
[[gnu::noinline]]
void* reallocate(void* old, std::size_t size_bytes) {
  const InCall in_call;
  ProcessAllocator& allocator = process_allocator();
  const std::uint64_t usable = allocator.usable_or_report(Process::cache(), to_address(old));
  assert(usable != 0);  // the report of a bad pointer ends the program
  if (allocator.resize_in_place(to_address(old), size_bytes)) {
    return old;
  }
  const Allocation moved = allocator.allocate_grown(own_cache(), usable, size_bytes);
  if (moved.address == 0) [[unlikely]] {
    return size_bytes <= usable ? old : or_enomem(0);
  }
  // Where address space is scarce, larger blocks serve smaller sizes: then nothing is gained.
  if (size_bytes < usable && usable > MallocPlan::item_bytes_max &&
      allocator.usable_bytes(moved.address) >= usable) {
    free_inline<Process>(to_pointer(moved.address));
    return old;
  }
  const std::size_t copied = std::min<std::size_t>(usable, size_bytes);
  moved.known_zero ? copy_but_zeros(moved, old, copied) : copy(moved, old, 0, copied);
  free_inline<Process>(old);
  return to_pointer(moved.address);
}

}  // namespace

}  // namespace strata

using namespace strata;

// Names that ISO C leaves to the program are weak, so that one linked with libstrata.a may have its
// own functions of these names, as with glibc.
#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size_bytes) { return malloc_inline<Process>(size_bytes); }

void free(void* pointer) { free_inline<Process>(pointer); }

[[gnu::weak]]
void cfree(void* pointer) {
  free_inline<Process>(pointer);
}

[[gnu::weak]]
void free_sized(void* pointer, std::size_t) {
  free_inline<Process>(pointer);
}

[[gnu::weak]]
void free_aligned_sized(void* pointer, std::size_t, std::size_t) {
  free_inline<Process>(pointer);
}

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

[[gnu::weak]]
void* reallocarray(void* pointer, std::size_t count, std::size_t size_bytes) {
  return realloc(pointer, product(count, size_bytes));
}

// As in glibc, other alignments are rounded up to a power of two.
[[gnu::weak]]
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

[[gnu::weak]]
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

[[gnu::weak]]
void* valloc(std::size_t size_bytes) {
  return allocate_aligned(size_bytes, MallocPlan::page_bytes);
}

[[gnu::weak]]
void* pvalloc(std::size_t size_bytes) {
  if (size_bytes > PTRDIFF_MAX) {
    errno = ENOMEM;
    return nullptr;
  }
  return allocate_aligned(round_up<std::uint64_t>(size_bytes, MallocPlan::page_bytes),
                          MallocPlan::page_bytes);
}

[[gnu::weak]]
std::size_t malloc_usable_size(void* pointer) {
  const InCall in_call;
  return pointer == nullptr ? 0 : process_allocator().usable_bytes(to_address(pointer));
}

}  // extern "C"
#pragma GCC visibility pop
