// The scheduler's locks: mutexes with ranks, and the futex that the shipped mutex waits on.
#include <algorithm>
#include <cstring>

#include "props/support/scheduler.hpp"

namespace strata::check {

// --- Mutexes ------------------------------------------------------------------------------------

void Scheduler::check_rank(Rank rank) {
  for (const Rank held : self().held) {
    if (held >= rank) {
      fail("lock order: rank " + std::to_string(rank) + " taken while holding rank " +
           std::to_string(held));
    }
  }
}

void Scheduler::acquire_mutex(std::uint32_t& word, Rank rank) {
  word = current_ + 1;
  self().clock.join(mutexes_.find(&word, [](MutexClock& m) { m.clock = Clock{}; }).clock);
  self().held.push_back(rank);
}

void Scheduler::lock(std::uint32_t& word, Rank rank) {
  check_rank(rank);
  point();
  while (word != 0) {
    if (tracing_) {
      trace("waits for lock " + std::to_string(rank) + ", held by thread " +
            std::to_string(word - 1));
    }
    self().waits_for = &word;
    leave();
    self().waits_for = nullptr;
  }
  acquire_mutex(word, rank);
  if (tracing_) {
    trace("lock " + std::to_string(rank));
  }
}

bool Scheduler::try_lock(std::uint32_t& word, Rank rank) {
  check_rank(rank);
  point();
  const bool locked = word == 0;
  if (locked) {
    acquire_mutex(word, rank);
  }
  if (tracing_) {
    trace("try_lock " + std::to_string(rank) + (locked ? "" : ": busy"));
  }
  return locked;
}

void Scheduler::unlock(std::uint32_t& word, Rank rank) {
  point();
  const auto held = std::find(self().held.begin(), self().held.end(), rank);
  if (word != current_ + 1 || held == self().held.end()) {
    fail("unlock of rank " + std::to_string(rank) + ", which this thread does not hold");
  }
  self().held.erase(held);
  mutexes_.find(&word, [](MutexClock&) {}).clock = self().clock;
  tick();
  word = 0;
  if (tracing_) {
    trace("unlock " + std::to_string(rank));
  }
}

// --- The futex ----------------------------------------------------------------------------------

void Scheduler::sleep(const void* word, std::uint32_t expected) {
  point();
  if (std::memcmp(word, &expected, sizeof expected) == 0) {
    trace("sleeps");
    self().sleeps_on = word;
    leave();
  }
}

void Scheduler::wake_one(const void* word) {
  point();
  Candidates asleep{};
  std::uint32_t count = 0;
  for (ThreadId t = 0; t < thread_count_; ++t) {
    if (threads_[t].sleeps_on == word) {
      asleep[count++] = t;
    }
  }
  if (count > 0) {
    const ThreadId woken = asleep[choose(count)];
    threads_[woken].sleeps_on = nullptr;
    trace("wakes thread " + std::to_string(woken));
  }
}

}  // namespace strata::check
