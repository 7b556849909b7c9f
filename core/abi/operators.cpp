// libstrata.so's operator new and delete, all forms. Each goes straight to the heap: preloaded,
// they are all there is. Alignment comes with the size class, so that every form of delete is free.
#include "abi/operators.hpp"

// What the compiler refers to for the catch below. Weak, so that no library is loaded for it: see
// cxx_library.hpp.
__asm__(
    ".weak __gxx_personality_v0\n"
    ".weak __cxa_begin_catch\n"
    ".weak __cxa_end_catch\n"
    ".weak _Unwind_Resume\n"
    ".weak _ZSt9terminatev\n");

namespace {

using strata::delete_inline;
using strata::new_aligned;
using strata::Process;

template <class Allocate>
void* retry_nothrow(Allocate allocate) noexcept {
  try {
    return strata::retry(allocate);
  } catch (...) {
    return nullptr;
  }
}

struct NewNothrow : Process {
  static void* malloc_miss(std::size_t size) noexcept {
    return retry_nothrow([=] { return Process::malloc_miss(size); });
  }
};

void* new_aligned_nothrow(std::size_t size, std::align_val_t align) noexcept {
  return retry_nothrow(
      [=] { return strata::allocate_aligned(size, static_cast<std::size_t>(align)); });
}

}  // namespace

#pragma GCC visibility push(default)

void* operator new(std::size_t size) { return strata::malloc_inline<strata::New>(size); }
void* operator new[](std::size_t size) { return strata::malloc_inline<strata::New>(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return strata::malloc_inline<NewNothrow>(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return strata::malloc_inline<NewNothrow>(size);
}
void* operator new(std::size_t size, std::align_val_t align) { return new_aligned(size, align); }
void* operator new[](std::size_t size, std::align_val_t align) { return new_aligned(size, align); }
void* operator new(std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}
void* operator new[](std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}

void operator delete(void* p) noexcept { delete_inline(p); }
void operator delete[](void* p) noexcept { delete_inline(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { delete_inline(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { delete_inline(p); }
void operator delete(void* p, std::size_t) noexcept { delete_inline(p); }
void operator delete[](void* p, std::size_t) noexcept { delete_inline(p); }
void operator delete(void* p, std::align_val_t) noexcept { delete_inline(p); }
void operator delete[](void* p, std::align_val_t) noexcept { delete_inline(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { delete_inline(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { delete_inline(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  delete_inline(p);
}
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  delete_inline(p);
}

#pragma GCC visibility pop
