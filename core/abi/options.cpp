#include "abi/options.hpp"

#include <charconv>

namespace strata {

namespace {

constexpr std::string_view check_name = "check:";
constexpr const char* remedy = "write check:N with N from 0 to 4294967295, or leave it out";

bool parse_number(std::string_view text, std::uint32_t& number) {
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && rest == end;
}

}  // namespace

ParsedOptions parse_options(std::string_view text) {
  ParsedOptions parsed;
  while (!text.empty()) {
    const std::string_view option = text.substr(0, text.find(','));
    text.remove_prefix(std::min(option.size() + 1, text.size()));
    const bool known = option.substr(0, check_name.size()) == check_name;
    if (!known || !parse_number(option.substr(check_name.size()), parsed.options.check)) {
      parsed.wrong = option.empty() ? std::string_view(",") : option;
      parsed.remedy = remedy;
      return parsed;
    }
  }
  return parsed;
}

}  // namespace strata
