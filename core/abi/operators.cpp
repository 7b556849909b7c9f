// operator new and delete, all forms. Alignment comes with the size class, so that every form of
// delete is free. Weak: a program linked with the archive may have some of them of its own.
#include <new>

#include "abi/cxx_library.hpp"
#include "abi/malloc.hpp"

// What the compiler refers to for the catch below. Weak, so that no library is loaded for it: see
// cxx_library.hpp.
__asm__(
    ".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

namespace {

using strata::allocate_aligned;
using strata::Process;

[[gnu::always_inline]]
inline void free_inline(void* pointer) {
  strata::free_inline<Process>(pointer);
}

// Calls the new_handler until allocate() succeeds, or there is no handler: then null. What the
// handler throws goes through.
template <class Allocate>
void* retry(Allocate allocate) {
  for (;;) {
    if (void* const pointer = allocate()) {
      return pointer;
    }
    const std::new_handler handler = strata::current_new_handler();
    if (handler == nullptr) {
      return nullptr;
    }
    handler();
  }
}

template <class Allocate>
void* retry_or_throw(Allocate allocate) {
  void* const pointer = retry(allocate);
  if (pointer == nullptr) {
    strata::throw_bad_alloc();
  }
  return pointer;
}

template <class Allocate>
void* retry_nothrow(Allocate allocate) noexcept {
  try {
    return retry(allocate);
  } catch (...) {
    return nullptr;
  }
}

// The hit path of malloc with the misses of operator new.
struct New : Process {
  static void* malloc_miss(std::size_t size) {
    return retry_or_throw([=] { return Process::malloc_miss(size); });
  }
};
struct NewNothrow : Process {
  static void* malloc_miss(std::size_t size) noexcept {
    return retry_nothrow([=] { return Process::malloc_miss(size); });
  }
};

void* new_aligned(std::size_t size, std::align_val_t align) {
  return retry_or_throw([=] { return allocate_aligned(size, static_cast<std::size_t>(align)); });
}
void* new_aligned_nothrow(std::size_t size, std::align_val_t align) noexcept {
  return retry_nothrow([=] { return allocate_aligned(size, static_cast<std::size_t>(align)); });
}

}  // namespace

#pragma GCC visibility push(default)

__attribute__((weak)) void* operator new(std::size_t size) {
  return strata::malloc_inline<New>(size);
}
__attribute__((weak)) void* operator new[](std::size_t size) {
  return strata::malloc_inline<New>(size);
}
__attribute__((weak)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return strata::malloc_inline<NewNothrow>(size);
}
__attribute__((weak)) void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return strata::malloc_inline<NewNothrow>(size);
}
__attribute__((weak)) void* operator new(std::size_t size, std::align_val_t align) {
  return new_aligned(size, align);
}
__attribute__((weak)) void* operator new[](std::size_t size, std::align_val_t align) {
  return new_aligned(size, align);
}
__attribute__((weak)) void* operator new(std::size_t size, std::align_val_t align,
                                         const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}
__attribute__((weak)) void* operator new[](std::size_t size, std::align_val_t align,
                                           const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}

__attribute__((weak)) void operator delete(void* p) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete[](void* p) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete(void* p, const std::nothrow_t&) noexcept {
  free_inline(p);
}
__attribute__((weak)) void operator delete[](void* p, const std::nothrow_t&) noexcept {
  free_inline(p);
}
__attribute__((weak)) void operator delete(void* p, std::size_t) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete[](void* p, std::size_t) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete(void* p, std::align_val_t) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete[](void* p, std::align_val_t) noexcept { free_inline(p); }
__attribute__((weak)) void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  free_inline(p);
}
__attribute__((weak)) void operator delete[](void* p, std::size_t, std::align_val_t) noexcept {
  free_inline(p);
}
__attribute__((weak)) void operator delete(void* p, std::align_val_t,
                                           const std::nothrow_t&) noexcept {
  free_inline(p);
}
__attribute__((weak)) void operator delete[](void* p, std::align_val_t,
                                             const std::nothrow_t&) noexcept {
  free_inline(p);
}

#pragma GCC visibility pop
