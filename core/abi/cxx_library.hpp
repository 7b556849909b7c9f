// What operator new needs of the C++ library when it fails. A program in C has none, and loading
// one for it would cost 1.6 MB; so the shared library only looks for it then (cxx_library.cpp). The
// archive links it (cxx_library_linked.cpp); a program in C takes no member of it that asks for it.
#pragma once

#include <new>

namespace strata {

// As std::get_new_handler; null too if no C++ library can be found.
std::new_handler current_new_handler() noexcept;

// Throws std::bad_alloc; says so and aborts if no C++ library can be found.
[[noreturn]]
void throw_bad_alloc();

}  // namespace strata
