// The choices of one execution, and the walk over all of them, depth first.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace strata::check {

// Option 0 is always the plain course of things (the thread goes on, the newest value is read), so
// a schedule is written as its deviations: "12.1,40.2" takes option 1 at choice 12 and option 2 at
// choice 40. "-" deviates nowhere.
class Choices {
 public:
  Choices() = default;
  // Each new choice is the next byte, modulo the options; past their end the plain course.
  explicit Choices(std::span<const std::uint8_t> drawn) : drawn_(drawn) {}

  // The next execution begins.
  void rewind() {
    at_ = 0;
    fits_ = true;
  }

  std::uint32_t choose(std::uint32_t options) {
    if (at_ == taken_.size()) {
      taken_.push_back({draw(options), options});
    }
    Choice& choice = taken_[at_++];
    fits_ &= choice.option < options && (choice.options == unknown || choice.options == options);
    choice.options = options;
    return choice.option < options ? choice.option : 0;
  }

  // Steps to the next schedule not yet walked; false after the last.
  bool next();

  std::string text() const;
  // From now on the given schedule is followed; false if it is not one.
  bool follow(std::string_view text);
  // False once a choice had other options than before: the schedule is of another program, or the
  // program does not depend on its choices alone.
  bool fits() const { return fits_; }
  bool used_up() const { return at_ == taken_.size(); }

 private:
  static constexpr std::uint32_t unknown = 0;

  struct Choice {
    std::uint32_t option;
    std::uint32_t options;
  };

  std::uint32_t draw(std::uint32_t options) {
    if (drawn_.empty()) {
      return 0;
    }
    const std::uint32_t option = drawn_.front() % options;
    drawn_ = drawn_.subspan(1);
    return option;
  }

  std::vector<Choice> taken_;
  std::span<const std::uint8_t> drawn_;
  std::size_t at_ = 0;
  bool fits_ = true;
};

}  // namespace strata::check
