// STRATA_OPTIONS: what is accepted is accepted part by part, what is not is named.

#include <memory>
#include <string_view>

#include "abi/options.hpp"
#include "props/support/violation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata;
  using check::require;
  check::set_violation_handler(check::trap_on_violation);
  // A copy of just its size: ASan sees a byte too far.
  const auto copy = std::make_unique<char[]>(size);
  std::copy(data, data + size, copy.get());
  const std::string_view text(copy.get(), size);
  const ParsedOptions whole = parse_options(text);

  require(whole.wrong.empty() == (whole.remedy == nullptr), "a remedy where something is wrong");
  // As a list of its parts: the first wrong one is named, and of good ones the last counts.
  ParsedOptions expected;
  for (std::string_view rest = text; !rest.empty() && expected.wrong.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const ParsedOptions alone = parse_options(part.empty() ? "," : part);
    expected.wrong = alone.wrong;
    expected.options = part.starts_with("check:") ? alone.options : expected.options;
  }
  require(whole.wrong == expected.wrong, "wrong: '{}', expected '{}'", whole.wrong, expected.wrong);
  require(!whole.wrong.empty() || whole.options.check == expected.options.check, "check: {}",
          whole.options.check);
  return 0;
}
