// operator new and delete, all forms. Alignment comes with the size class, so that every form of
// delete is free.
#include <new>

#include "abi/malloc.hpp"

namespace {

using strata::allocate_aligned;
using strata::free_inline;
using strata::malloc_inline;

// Calls the new_handler until it gives up or allocate() succeeds.
template <class Allocate>
void* retry(Allocate allocate) {
  for (;;) {
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) {
      throw std::bad_alloc();
    }
    handler();
    if (void* const pointer = allocate()) {
      return pointer;
    }
  }
}

template <class Allocate>
void* retry_nothrow(Allocate allocate) noexcept {
  try {
    return retry(allocate);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

[[gnu::noinline]] void* new_failed(std::size_t size) {
  return retry([=] { return malloc_inline(size); });
}
[[gnu::noinline]] void* new_failed_nothrow(std::size_t size) noexcept {
  return retry_nothrow([=] { return malloc_inline(size); });
}

[[gnu::always_inline]] inline void* new_inline(std::size_t size) {
  void* const pointer = malloc_inline(size);
  return pointer != nullptr ? pointer : new_failed(size);
}
[[gnu::always_inline]] inline void* new_nothrow_inline(std::size_t size) noexcept {
  void* const pointer = malloc_inline(size);
  return pointer != nullptr ? pointer : new_failed_nothrow(size);
}

void* new_aligned(std::size_t size, std::align_val_t align) {
  const auto allocate = [=] { return allocate_aligned(size, static_cast<std::size_t>(align)); };
  void* const pointer = allocate();
  return pointer != nullptr ? pointer : retry(allocate);
}
void* new_aligned_nothrow(std::size_t size, std::align_val_t align) noexcept {
  const auto allocate = [=] { return allocate_aligned(size, static_cast<std::size_t>(align)); };
  void* const pointer = allocate();
  return pointer != nullptr ? pointer : retry_nothrow(allocate);
}

}  // namespace

#pragma GCC visibility push(default)

void* operator new(std::size_t size) { return new_inline(size); }
void* operator new[](std::size_t size) { return new_inline(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return new_nothrow_inline(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return new_nothrow_inline(size);
}
void* operator new(std::size_t size, std::align_val_t align) { return new_aligned(size, align); }
void* operator new[](std::size_t size, std::align_val_t align) { return new_aligned(size, align); }
void* operator new(std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}
void* operator new[](std::size_t size, std::align_val_t align, const std::nothrow_t&) noexcept {
  return new_aligned_nothrow(size, align);
}

void operator delete(void* p) noexcept { free_inline(p); }
void operator delete[](void* p) noexcept { free_inline(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { free_inline(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { free_inline(p); }
void operator delete(void* p, std::size_t) noexcept { free_inline(p); }
void operator delete[](void* p, std::size_t) noexcept { free_inline(p); }
void operator delete(void* p, std::align_val_t) noexcept { free_inline(p); }
void operator delete[](void* p, std::align_val_t) noexcept { free_inline(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { free_inline(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { free_inline(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { free_inline(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept {
  free_inline(p);
}

#pragma GCC visibility pop
