// What operator new and delete do, for the two libraries that have them. They differ in what a form
// does that the C++ standard defines by another form: operators.cpp, operators_linked.cpp.
#pragma once

#include <new>

#include "abi/cxx_library.hpp"
#include "abi/hit_path.hpp"
#include "abi/malloc.hpp"

namespace strata {

[[gnu::always_inline]]
inline void delete_inline(void* pointer) {
  free_inline<Process>(pointer);
}

// Calls the new_handler until allocate() succeeds, or there is no handler: then null. What the
// handler throws goes through.
template <class Allocate>
void* retry(Allocate allocate) {
  for (;;) {
    if (void* const pointer = allocate()) {
      return pointer;
    }
    const std::new_handler handler = current_new_handler();
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
    throw_bad_alloc();
  }
  return pointer;
}

// The hit path of malloc with the misses of operator new.
struct New : Process {
  static void* malloc_miss(std::size_t size) {
    return retry_or_throw([=] { return Process::malloc_miss(size); });
  }
};

inline void* new_aligned(std::size_t size, std::align_val_t align) {
  return retry_or_throw([=] { return allocate_aligned(size, static_cast<std::size_t>(align)); });
}

}  // namespace strata
