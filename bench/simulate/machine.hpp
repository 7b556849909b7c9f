// A machine of many processors, simulated by one thread, and the Sync seam of heaps that run on it:
// each processor has a clock, each lock the times at which it is held, and each line of memory that
// mutexes and atomics lie on the processors that have a copy of it.
//
// The caller performs one operation after the other, that of the processor whose clock is behind
// all others', and each whole. It takes a lock in the first gap that is long enough, before or
// between those for which operations that began earlier have it.
//
// Left out: what system calls, sleeping and waking cost, lines of records and of the program's own
// data, and that a hold lasts as long as there is to do. Counts are exact, times are for comparing.
#pragma once

#include <algorithm>
#include <atomic>
#include <bitset>
#include <cassert>
#include <compare>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "sync/guard.hpp"

namespace strata::bench {

class Machine {
 public:
  static constexpr std::uint32_t processors_max = 256;

  // What things cost. Held: a batch of 64 items at 8 instructions each. Moved: a line that another
  // processor has written, as measured between two of the machine of the figures in bench/README.md
  // (from 50 to 100 elsewhere): the larger it is, the longer are locks held.
  static constexpr std::uint64_t hit_ns = 20;
  static constexpr std::uint64_t held_ns = 200;
  static constexpr std::uint64_t moved_ns = 270;

  struct Counts {
    std::uint64_t acquired = 0;  // locks
    std::uint64_t waited = 0;    // ... of which so many were not free
    std::uint64_t moved = 0;     // lines that another processor had written, or had a copy of
  };

  explicit Machine(std::uint32_t processors) : clocks_(processors) {
    assert(processors >= 1 && processors <= processors_max);
    current_ = this;
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine() { current_ = nullptr; }

  // The machine that mutexes and atomics are on: the last one made.
  static Machine& current() { return *current_; }

  // The processor's next operation is to be performed: no clock is behind its.
  void run_on(std::uint32_t processor) {
    running_ = processor;
    began_ns_ = now_ns();
  }
  void pass(std::uint64_t time_ns) { clocks_[running_] += time_ns; }
  std::uint64_t now_ns() const { return clocks_[running_]; }
  std::uint64_t now_ns(std::uint32_t processor) const { return clocks_[processor]; }
  std::uint64_t latest_ns() const { return *std::ranges::max_element(clocks_); }
  const Counts& counts() const { return counts_; }

  // All clocks agree, nothing has been counted. Returns the time.
  std::uint64_t start() {
    std::ranges::fill(clocks_, latest_ns());
    counts_ = {};
    return latest_ns();
  }

  void read(const void* address) {
    Line& line = line_of(address);
    if (!line.copies.test(running_)) {
      move();
      line.copies.set(running_);
    }
  }
  void write(const void* address) {
    Line& line = line_of(address);
    if (!line.copies.test(running_) || line.copies.count() != 1) {
      move();
      line.copies.reset();
      line.copies.set(running_);
    }
  }

  bool is_free(const void* mutex) { return first_gap(locks_[mutex]) == now_ns(); }
  void acquire(const void* mutex) {
    Lock& lock = locks_[mutex];
    const std::uint64_t gap = first_gap(lock);
    ++counts_.acquired;
    counts_.waited += gap > now_ns() ? 1 : 0;
    clocks_[running_] = gap;
    lock.acquired_ns = gap;
    write(mutex);
  }
  void release(const void* mutex) {
    pass(held_ns);
    Lock& lock = locks_[mutex];
    const Held held = {lock.acquired_ns, now_ns()};
    lock.held.insert(std::ranges::upper_bound(lock.held, held), held);
  }

 private:
  static constexpr std::uint64_t line_bytes = 64;
  struct Line {
    std::bitset<processors_max> copies;
  };

  struct Held {
    std::uint64_t from_ns, to_ns;
    auto operator<=>(const Held&) const = default;
  };
  struct Lock {
    std::vector<Held> held;  // in order
    std::uint64_t acquired_ns = 0;
  };

  // From when on a lock can be had for as long as it is held.
  std::uint64_t first_gap(Lock& lock) const {
    std::erase_if(lock.held, [&](const Held& held) { return held.to_ns <= began_ns_; });
    std::uint64_t gap = now_ns();
    for (const Held& held : lock.held) {
      if (held.from_ns >= gap + held_ns) {
        break;
      }
      gap = std::max(gap, held.to_ns);
    }
    return gap;
  }

  Line& line_of(const void* address) {
    return lines_[reinterpret_cast<std::uintptr_t>(address) / line_bytes];
  }
  void move() {
    ++counts_.moved;
    pass(moved_ns);
  }

  static inline Machine* current_ = nullptr;

  std::vector<std::uint64_t> clocks_;
  std::uint32_t running_ = 0;
  std::uint64_t began_ns_ = 0;
  Counts counts_;
  std::unordered_map<std::uintptr_t, Line> lines_;
  std::unordered_map<const void*, Lock> locks_;
};

// The Sync seam. All on the current machine.
class SimulatedMutex {
 public:
  bool lock(Rank) {
    Machine::current().acquire(this);
    return true;
  }
  bool try_lock(Rank rank, bool& locked) {
    locked = Machine::current().is_free(this) && lock(rank);
    return locked;
  }
  void unlock(Rank) { Machine::current().release(this); }

 private:
  std::uint32_t word_ = 0;  // as large as the shipped one: which share a line
};

template <class T>
class SimulatedAtomic {
 public:
  T load(std::memory_order) const {
    Machine::current().read(this);
    return value_;
  }
  void store(T value, std::memory_order) {
    Machine::current().write(this);
    value_ = value;
  }
  T fetch_add(T value, std::memory_order) { return change_to(value_ + value); }
  T fetch_sub(T value, std::memory_order) { return change_to(value_ - value); }

 private:
  T change_to(T value) {
    Machine::current().write(this);
    return std::exchange(value_, value);
  }

  T value_;
};

struct SimulatedSync {
  using Mutex = SimulatedMutex;
  template <class T>
  using Atomic = SimulatedAtomic<T>;
};

}  // namespace strata::bench
