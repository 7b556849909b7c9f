// libstrata.a's: a program that links operator new from an archive has a C++ library, which may be
// an archive too. Weak references would leave it out of the program, and dlopen could not find it.
#include <new>

#include "abi/cxx_library.hpp"

namespace strata {

std::new_handler current_new_handler() noexcept { return std::get_new_handler(); }

void throw_bad_alloc() { throw std::bad_alloc(); }

}  // namespace strata
