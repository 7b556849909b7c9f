// The way of a search to a violation, in the operation format: written out, and read back.
#pragma once

#include <charconv>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "props/exhaustive/subject.hpp"

namespace strata::check {

// A move, and which calls of the system were refused in it.
struct Step {
  Move move;
  std::uint32_t refusals = 0;
};

struct CounterExample {
  std::string text;              // the operations and what was wrong then; empty: there is none
  std::string encoded;           // the operations as hexadecimal digits
  std::uint64_t operations = 0;  // the answers of the system apart
  bool empty() const { return text.empty(); }
};

// A subject on which steps are done one after the other, and what lives in the order of allocation,
// which is how the format names it.
template <class Subject>
class Walk {
 public:
  explicit Walk(Subject& subject) : subject_(subject) {}

  void go(const Step& step) {
    subject_.perform(step.move, step.refusals);
    subject_.check_state();
    std::erase_if(order_, [&](auto offset) { return !subject_.live().starts_at(offset); });
    subject_.live().each([&](std::uint64_t offset, std::uint64_t) {
      if (!subject_.start().live.starts_at(offset)) {
        order_.push_back(offset);
      }
    });
    subject_.start_here();
  }

  std::uint64_t index_of(std::uint64_t offset) const {
    return static_cast<std::uint64_t>(std::ranges::find(order_, offset) - order_.begin());
  }
  std::uint64_t at(std::uint64_t index) const { return order_[index % order_.size()]; }

 private:
  Subject& subject_;
  std::vector<std::uint64_t> order_;
};

// The steps as operations. All but the last must be sound.
template <class Subject>
Program to_program(const SearchSpace& space, std::span<const Step> steps) {
  Subject subject(space);
  Walk<Subject> walk(subject);
  Program program;
  for (const Step& step : steps) {
    const Move& move = step.move;
    if (step.refusals != 0) {
      program.operations.push_back({.kind = Kind::fail_memory, .number = step.refusals});
    }
    Operation op = {.kind = move.kind};
    if (move.kind == Kind::deallocate) {
      op.k = walk.index_of(move.operand);
    } else if (move.kind == Kind::advance) {
      op.number = Subject::Heap::purge_delay_ms;
    } else {
      op.size = move.operand;
      op.align_shift = move.align_shift;
    }
    program.operations.push_back(op);
    if (&step != &steps.back()) {
      walk.go(step);
    }
  }
  return program;
}

// The reverse, one step after the other: visit(step, text of it) must have done it before the next.
template <class Subject, class Visit>
void each_step(const Program& program, const Walk<Subject>& walk, Visit visit) {
  Step step;
  for (const Operation& op : program.operations) {
    if (op.kind == Kind::fail_memory) {
      step.refusals = static_cast<std::uint32_t>(op.number);
      continue;
    }
    const std::uint64_t operand = op.kind == Kind::deallocate ? walk.at(op.k) : op.size;
    step.move = {op.kind, op.align_shift, static_cast<std::uint32_t>(operand)};
    visit(step, to_text(op));
    step = {};
  }
}

// "t0 fail_memory 0b1" and so on, a line each; all goes straight to the books.
inline std::string to_lines(const Program& program) {
  std::string text = "t0 detach\n";
  for (const Operation& op : program.operations) {
    text += to_text(op) + "\n";
  }
  return text;
}

inline std::string to_hex(const Program& program) {
  std::string text;
  for (const std::uint8_t byte : encode(program)) {
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

inline Program from_hex(std::string_view text) {
  std::vector<std::uint8_t> bytes;
  for (; text.size() >= 2; text.remove_prefix(2)) {
    std::uint8_t byte = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    require(error == std::errc() && end == text.data() + 2, "{} are no digits", text);
    bytes.push_back(byte);
  }
  return decode(bytes);
}

}  // namespace strata::check
