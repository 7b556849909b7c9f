// What a check does when it finds something wrong. Property tests need an exception, so that they
// can shrink; a fuzz target needs a crash at the very place.
#pragma once

#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace strata::check {

class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Called with the text of a violation; must not return.
using ViolationHandler = void (*)(const std::string& text);

[[noreturn]]
void throw_violation(const std::string& text);  // the default
[[noreturn]]
void trap_on_violation(const std::string& text);

void set_violation_handler(ViolationHandler handler);
[[noreturn]]
void violated(const std::string& text);

// require(holds, "format {}", arguments...): the text is only built when it is needed.
template <class... Arguments>
void require(bool holds, fmt::format_string<Arguments...> text, Arguments&&... arguments) {
  if (!holds) [[unlikely]] {
    violated(fmt::format(text, std::forward<Arguments>(arguments)...));
  }
}

}  // namespace strata::check
