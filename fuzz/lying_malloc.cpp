// A malloc family that breaks one promise, the one that STRATA_LIE names: fuzz_malloc, run on its
// corpus with this between it and the shipped one, must say which. The linker's --wrap puts it
// there.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

extern "C" {
void* __real_shipped_malloc(std::size_t);
void* __real_shipped_calloc(std::size_t, std::size_t);
void* __real_shipped_realloc(void*, std::size_t);
void* __real_shipped_reallocarray(void*, std::size_t, std::size_t);
void* __real_shipped_aligned_alloc(std::size_t, std::size_t);
int __real_shipped_posix_memalign(void**, std::size_t, std::size_t);
std::size_t __real_shipped_malloc_usable_size(void*);
void __real_shipped_free(void*);
int __real_strata_validate();
}

namespace {

bool lie_is(const char* name) {
  static const char* const chosen = std::getenv("STRATA_LIE");
  return chosen != nullptr && std::strcmp(chosen, name) == 0;
}

// Nearby lies about objects of this size at most: what lies behind them can be written to.
constexpr std::size_t small_bytes = 1024;

}  // namespace

extern "C" {

void* __wrap_shipped_malloc(std::size_t bytes) {
  if (lie_is("refuses") && bytes == 0) {
    errno = ENOMEM;
    return nullptr;
  }
  void* const pointer = __real_shipped_malloc(bytes);
  if (pointer == nullptr && lie_is("refuses-without-errno")) {
    errno = 0;
  }
  return pointer;
}

std::size_t __wrap_shipped_malloc_usable_size(void* pointer) {
  const std::size_t usable = __real_shipped_malloc_usable_size(pointer);
  if (usable > small_bytes) {
    return usable;
  }
  return lie_is("overlaps") ? 2 * usable : lie_is("too-small") ? 1 : usable;
}

void* __wrap_shipped_calloc(std::size_t count, std::size_t bytes) {
  std::size_t total = 0;
  const bool overflows = __builtin_mul_overflow(count, bytes, &total);
  if (overflows && lie_is("calloc-overflows")) {
    return __real_shipped_malloc(16);
  }
  void* const pointer = __real_shipped_calloc(count, bytes);
  if (pointer != nullptr && total > 0 && lie_is("calloc-is-dirty")) {
    *static_cast<char*>(pointer) = 1;
  }
  return pointer;
}

void* __wrap_shipped_aligned_alloc(std::size_t align, std::size_t bytes) {
  const bool is_power = (align & (align - 1)) == 0 && align != 0;
  if (!is_power && lie_is("takes-any-alignment")) {
    return __real_shipped_malloc(bytes < small_bytes ? bytes : small_bytes);
  }
  if (is_power && align > 16 && align <= small_bytes && lie_is("misaligned")) {
    void* const pointer = __real_shipped_malloc(bytes < small_bytes ? bytes + 16 : bytes);
    const bool is_aligned = reinterpret_cast<std::uintptr_t>(pointer) % align == 0;
    return is_aligned && pointer != nullptr ? static_cast<char*>(pointer) + 16 : pointer;
  }
  return __real_shipped_aligned_alloc(align, bytes);
}

int __wrap_shipped_posix_memalign(void** result, std::size_t align, std::size_t bytes) {
  const int error = __real_shipped_posix_memalign(result, align, bytes);
  if (error != 0 && lie_is("posix-writes")) {
    *result = nullptr;
  }
  if (error != 0 && lie_is("posix-sets-errno")) {
    errno = error;
  }
  return lie_is("posix-accepts") ? 0 : error;
}

void* __wrap_shipped_realloc(void* pointer, std::size_t bytes) {
  if (pointer != nullptr && bytes > 0 && lie_is("realloc-loses")) {
    *static_cast<char*>(pointer) = static_cast<char>(*static_cast<char*>(pointer) + 1);
  }
  if (pointer != nullptr && bytes > PTRDIFF_MAX && lie_is("failed-realloc-changes")) {
    *static_cast<char*>(pointer) = static_cast<char>(*static_cast<char*>(pointer) + 1);
  }
  void* const moved = __real_shipped_realloc(pointer, bytes);
  return pointer != nullptr && bytes == 0 && lie_is("realloc-to-zero-keeps") ? pointer : moved;
}

void* __wrap_shipped_reallocarray(void* pointer, std::size_t count, std::size_t bytes) {
  std::size_t total = 0;
  if (__builtin_mul_overflow(count, bytes, &total) && lie_is("reallocarray-overflows")) {
    return __real_shipped_realloc(pointer, 16);
  }
  return __real_shipped_reallocarray(pointer, count, bytes);
}

void __wrap_shipped_free(void* pointer) {
  __real_shipped_free(pointer);
  if (lie_is("free-sets-errno")) {
    errno = EINVAL;
  }
}

int __wrap_strata_validate() { return lie_is("books-are-broken") ? 0 : __real_strata_validate(); }

}  // extern "C"
