// Plain data under the scheduler: every access must be ordered, by happens-before, after each
// earlier one that it conflicts with. Otherwise it is a data race, and fails the execution on every
// schedule of the same order of synchronisation, not only where the two collide.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "props/support/scheduler.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

// A variable of a scenario's own.
template <class T>
class Plain {
 public:
  void reset(T value) { *this = Plain{value}; }
  T read() {
    require(history_.may_read(scheduler().clock()), "data race: a read");
    history_.note_read(scheduler().thread(), scheduler().clock());
    return value_;
  }
  void write(T value) {
    require(history_.may_write(scheduler().clock()), "data race: a write");
    history_.note_write(scheduler().thread(), scheduler().clock());
    value_ = value;
  }

  Plain() = default;

 private:
  explicit Plain(T value) : value_(value) {}
  T value_{};
  AccessHistory history_;
};

// Ranges of memory of which every byte has a history. Code compiled with -fsanitize=thread calls
// access() for each of its plain loads and stores (scheduler_instrument.cpp is the run-time part);
// scenarios call it for what they do with the memory they were given.
class PlainMemory {
 public:
  // Begins a range, or begins it anew: no accesses yet, no byte usable.
  void watch(const char* name, const std::byte* begin, std::uint64_t size);
  // The range that begins here, if any, is no more.
  void unwatch(const std::byte* begin);
  // The bytes may be used from now on.
  void set_usable(const std::byte* begin, std::uint64_t size);

  // Ignored outside every range, and while threads don't run: what comes before and after them is
  // ordered with all they do.
  void access(const void* address, std::uint64_t size, bool write) {
    const auto number = reinterpret_cast<std::uintptr_t>(address);
    if (number - low_ < span_) {  // not so for what most accesses are to, the stacks
      check_access(number, size, write);
    }
  }
  // The system drops the contents: a write of those bytes that anybody has touched.
  void drop(const std::byte* begin, std::uint64_t size);

  // "control+0x40"
  std::string name(const void* address);

 private:
  struct Free {
    void operator()(void* array) const { std::free(array); }
  };
  struct Interval {
    std::uintptr_t begin, end;
  };
  struct Range {
    const char* name;
    std::uintptr_t begin;
    std::uint64_t size;
    std::uint32_t round = 0;
    std::vector<Interval> usable = {};
    // For each byte, and the round that its history is of: of another, it counts as untouched.
    std::unique_ptr<std::uint32_t[], Free> rounds = nullptr;
    std::unique_ptr<AccessHistory[], Free> histories = nullptr;
  };

  Range* range_of(std::uintptr_t address);
  void check_access(std::uintptr_t address, std::uint64_t size, bool write);
  void touch(Range& range, std::uintptr_t address);
  void check_order(Range& range, std::uintptr_t address, bool write);

  std::vector<Range> ranges_;
  std::uintptr_t low_ = 0;  // all ranges lie in [low_, low_ + span_)
  std::uintptr_t span_ = 0;
  bool busy_ = false;  // the linker may have chosen instrumented copies of what access() calls
};

PlainMemory& plain_memory();

}  // namespace strata::check
