#include "props/support/scheduler_choices.hpp"

#include <charconv>

namespace strata::check {

namespace {

constexpr std::uint32_t choices_max = 1'000'000;

// Takes a number off the front of `text`; false if there is none.
bool take_number(std::string_view& text, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return error == std::errc{};
}

bool take_mark(std::string_view& text, char mark) {
  if (text.empty() || text.front() != mark) {
    return false;
  }
  text.remove_prefix(1);
  return true;
}

}  // namespace

bool Choices::next() {
  taken_.resize(at_);  // a failing execution may have ended before its choices did
  while (!taken_.empty() && taken_.back().option + 1 >= taken_.back().options) {
    taken_.pop_back();
  }
  if (taken_.empty()) {
    return false;
  }
  ++taken_.back().option;
  return true;
}

std::string Choices::text() const {
  std::string text;
  for (std::size_t i = 0; i < at_; ++i) {
    if (taken_[i].option != 0) {
      text +=
          (text.empty() ? "" : ",") + std::to_string(i) + "." + std::to_string(taken_[i].option);
    }
  }
  return text.empty() ? "-" : text;
}

bool Choices::follow(std::string_view text) {
  taken_.clear();
  at_ = 0;
  if (text == "-") {
    return true;
  }
  do {
    std::uint32_t at = 0;
    std::uint32_t option = 0;
    if (!take_number(text, at) || !take_mark(text, '.') || !take_number(text, option) ||
        at < taken_.size() || at > choices_max) {
      return false;
    }
    taken_.resize(at, {0, unknown});
    taken_.push_back({option, unknown});
  } while (take_mark(text, ','));
  return text.empty();
}

}  // namespace strata::check
