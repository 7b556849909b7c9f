// assert() under the scheduler: a failing one ends the execution, so that its schedule is printed.
// Takes the place of the C library's function of the same name.
#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "props/support/scheduler.hpp"

extern "C" void __assert_fail(const char* assertion, const char* file, unsigned int line,
                              const char* function) noexcept {
  const std::string text = std::string("assertion ") + assertion + " at " + file + ":" +
                           std::to_string(line) + ", " + function;
  if (strata::check::scheduler().running()) {
    strata::check::scheduler().fail(text);
  }
  std::fprintf(stderr, "%s\n", text.c_str());
  std::abort();
}
