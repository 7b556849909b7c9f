// STRATA_OPTIONS: lists of right and wrong options, against what each says by itself.

#include <charconv>

#include "abi/options.hpp"
#include "props/model/property.hpp"

namespace strata {
namespace {

using check::property;

rc::Gen<std::string> right_option() {
  return rc::gen::map(rc::gen::arbitrary<std::uint32_t>(),
                      [](std::uint32_t n) { return "check:" + std::to_string(n); });
}

// Numbers that do not fit, trailing letters, signs, other names, nothing at all, any text.
rc::Gen<std::string> wrong_option() {
  const auto any = rc::gen::string<std::string>();
  const auto near = rc::gen::apply(
      [](const std::string& option, char more) { return option + (more == ',' ? 'x' : more); },
      right_option(), rc::gen::elementOf(std::string("x:- .e")));
  const auto large =
      rc::gen::map(rc::gen::inRange<std::uint64_t>(std::uint64_t{1} << 32, ~std::uint64_t{0}),
                   [](std::uint64_t n) { return "check:" + std::to_string(n); });
  const auto text = rc::gen::map(any, [](std::string s) {
    std::erase(s, ',');
    return "Check:" + s;
  });
  return rc::gen::oneOf(near, large, text, rc::gen::element<std::string>("check", "check:", ""));
}

std::string joined(const std::vector<std::string>& options) {
  std::string text;
  for (const std::string& option : options) {
    text += (text.empty() ? "" : ",") + option;
  }
  return text;
}

TEST(OptionsProperties, OfRightOnesTheLastCounts) {
  property([] {
    const auto options = *rc::gen::container<std::vector<std::string>>(right_option());
    const ParsedOptions parsed = parse_options(joined(options));
    RC_ASSERT(parsed.wrong.empty());
    RC_ASSERT(parsed.remedy == nullptr);
    const std::string last = options.empty() ? "check:0" : options.back();
    RC_ASSERT(std::to_string(parsed.options.check) == last.substr(6));
  });
}

TEST(OptionsProperties, TheFirstWrongOneIsNamed) {
  property([] {
    const auto before = *rc::gen::container<std::vector<std::string>>(right_option());
    const auto wrong =
        *rc::gen::suchThat(wrong_option(), [](const std::string& s) { return !s.empty(); });
    const auto after = *rc::gen::container<std::vector<std::string>>(
        rc::gen::oneOf(right_option(), wrong_option()));
    std::vector<std::string> options = before;
    options.push_back(wrong);
    options.insert(options.end(), after.begin(), after.end());
    const std::string text = joined(options);
    const ParsedOptions parsed = parse_options(text);
    RC_ASSERT(parsed.wrong == wrong);
    RC_ASSERT(parsed.remedy != nullptr);
    RC_CLASSIFY(!before.empty(), "right ones first");
  });
}

// Nothing but a list of known names and numbers of 32 bits is accepted.
TEST(OptionsProperties, AnyTextIsReadOrNamed) {
  property([](const std::string& text) {
    const ParsedOptions parsed = parse_options(text);
    RC_ASSERT(parsed.wrong.empty() == (parsed.remedy == nullptr));
    const bool known = text.empty() || text.starts_with("check:");
    const bool named = parsed.wrong == "," || text.find(parsed.wrong) != text.npos;
    RC_ASSERT((parsed.wrong.empty() ? known : named));
  });
}

}  // namespace
}  // namespace strata
