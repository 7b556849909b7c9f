// libstrata.a's operator new and delete. A program may replace some forms of them by its own. Those
// that the C++ standard defines by another form call that one, as the standard library's do, so
// that what one form hands out is not given to a heap that does not know it. Weak: a program's own
// form is no duplicate of the one beside it here.
#include "abi/operators.hpp"

namespace {

// `form` is a form of operator new that throws.
template <class Form>
void* null_if_thrown(Form form) noexcept {
  try {
    return form();
  } catch (...) {
    return nullptr;
  }
}

}  // namespace

#pragma GCC visibility push(default)

// The four that the others are defined by.
__attribute__((weak)) void* operator new(std::size_t size) {
  return strata::malloc_inline<strata::New>(size);
}
__attribute__((weak)) void* operator new(std::size_t size, std::align_val_t align) {
  return strata::new_aligned(size, align);
}
__attribute__((weak)) void operator delete(void* p) noexcept { strata::delete_inline(p); }
__attribute__((weak)) void operator delete(void* p, std::align_val_t) noexcept {
  strata::delete_inline(p);
}

__attribute__((weak)) void* operator new[](std::size_t size) { return ::operator new(size); }
__attribute__((weak)) void* operator new[](std::size_t size, std::align_val_t align) {
  return ::operator new(size, align);
}
__attribute__((weak)) void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return ::operator new(size); });
}
__attribute__((weak)) void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return ::operator new[](size); });
}
__attribute__((weak)) void* operator new(std::size_t size, std::align_val_t align,
                                         const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return ::operator new(size, align); });
}
__attribute__((weak)) void* operator new[](std::size_t size, std::align_val_t align,
                                           const std::nothrow_t&) noexcept {
  return null_if_thrown([=] { return ::operator new[](size, align); });
}

__attribute__((weak)) void operator delete[](void* p) noexcept { ::operator delete(p); }
__attribute__((weak)) void operator delete(void* p, const std::nothrow_t&) noexcept {
  ::operator delete(p);
}
__attribute__((weak)) void operator delete[](void* p, const std::nothrow_t&) noexcept {
  ::operator delete[](p);
}
__attribute__((weak)) void operator delete(void* p, std::size_t) noexcept { ::operator delete(p); }
__attribute__((weak)) void operator delete[](void* p, std::size_t) noexcept {
  ::operator delete[](p);
}
__attribute__((weak)) void operator delete[](void* p, std::align_val_t align) noexcept {
  ::operator delete(p, align);
}
__attribute__((weak)) void operator delete(void* p, std::size_t, std::align_val_t align) noexcept {
  ::operator delete(p, align);
}
__attribute__((weak)) void operator delete[](void* p, std::size_t,
                                             std::align_val_t align) noexcept {
  ::operator delete[](p, align);
}
__attribute__((weak)) void operator delete(void* p, std::align_val_t align,
                                           const std::nothrow_t&) noexcept {
  ::operator delete(p, align);
}
__attribute__((weak)) void operator delete[](void* p, std::align_val_t align,
                                             const std::nothrow_t&) noexcept {
  ::operator delete[](p, align);
}

#pragma GCC visibility pop
