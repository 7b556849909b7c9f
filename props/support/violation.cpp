#include "props/support/violation.hpp"

#include <cstdio>
#include <cstdlib>

namespace strata::check {

namespace {
ViolationHandler handler = throw_violation;
}

void throw_violation(const std::string& text) { throw Violation(text); }

void trap_on_violation(const std::string& text) {
  std::fprintf(stderr, "violation: %s\n", text.c_str());
  std::fflush(stderr);
  __builtin_trap();
}

void set_violation_handler(ViolationHandler chosen) { handler = chosen; }

void violated(const std::string& text) {
  handler(text);
  std::abort();  // a handler that returns is itself a bug
}

}  // namespace strata::check
