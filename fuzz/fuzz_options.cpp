// STRATA_OPTIONS: what is accepted means what it says, what is not is named.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "abi/options.hpp"
#include "props/support/violation.hpp"

namespace {

// What one part says, read digit by digit; none if it is wrong.
std::optional<std::uint32_t> check_of(std::string_view part) {
  constexpr std::string_view name = "check:";
  if (!part.starts_with(name) || part == name) {
    return {};
  }
  std::uint64_t number = 0;
  for (const char digit : part.substr(name.size())) {
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    if (digit < '0' || digit > '9' || number > UINT32_MAX) {
      return {};
    }
  }
  return static_cast<std::uint32_t>(number);
}

}  // namespace

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
  // The first wrong part is named, and of good ones the last counts.
  std::uint32_t check = 0;
  std::string_view wrong;
  for (std::string_view rest = text; !rest.empty() && wrong.empty();) {
    const std::string_view part = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    const std::optional<std::uint32_t> said = check_of(part);
    wrong = said ? wrong : part.empty() ? std::string_view(",") : part;
    check = said.value_or(check);
  }
  require(whole.wrong == wrong, "wrong: '{}', expected '{}'", whole.wrong, wrong);
  require(!wrong.empty() || whole.options.check == check, "check: {}, expected {}",
          whole.options.check, check);
  return 0;
}
