// libstrata.so's: the program may have no C++ library.
#include "abi/cxx_library.hpp"

#include <dlfcn.h>

#include "abi/report.hpp"

namespace strata {

namespace {

using GetNewHandler = std::new_handler() noexcept;
using ThrowBadAlloc = void();

// Null unless the library was there when this one was loaded.
extern "C" GetNewHandler get_new_handler_if_linked __asm__("_ZSt15get_new_handlerv")
    __attribute__((weak));
extern "C" ThrowBadAlloc throw_bad_alloc_if_linked __asm__("_ZSt17__throw_bad_allocv")
    __attribute__((weak));

// A library that came later, with a plug-in say, may be out of sight for a plain dlsym.
template <class Function>
Function* find(Function* linked, const char* name) noexcept {
  if (linked != nullptr) {
    return linked;
  }
  void* const library = dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library == nullptr ? nullptr : reinterpret_cast<Function*>(dlsym(library, name));
}

}  // namespace

std::new_handler current_new_handler() noexcept {
  GetNewHandler* const get = find(get_new_handler_if_linked, "_ZSt15get_new_handlerv");
  return get == nullptr ? nullptr : get();
}

void throw_bad_alloc() {
  if (ThrowBadAlloc* const raise = find(throw_bad_alloc_if_linked, "_ZSt17__throw_bad_allocv")) {
    raise();
  }
  abort_out_of_memory();
}

}  // namespace strata
