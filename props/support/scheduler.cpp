#include "props/support/scheduler.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace strata::check {

Scheduler& Scheduler::instance() {
  static Scheduler scheduler;
  return scheduler;
}

// --- Executions ---------------------------------------------------------------------------------

Exploration Scheduler::explore(const Scenario& scenario, const Bounds& bounds) {
  scenario_ = &scenario;
  bounds_ = bounds;
  choices_ = Choices{};
  Exploration result;
  do {
    run_once();
    ++result.executions;
    if (!failure_.empty()) {
      result.failure = failure_;
      result.schedule = choices_.text();
      return result;
    }
    result.complete = !choices_.next();
  } while (!result.complete && result.executions < bounds.executions);
  return result;
}

Exploration Scheduler::replay(const Scenario& scenario, const Bounds& bounds,
                              std::string_view schedule) {
  scenario_ = &scenario;
  bounds_ = bounds;
  choices_ = Choices{};
  Exploration result;
  result.schedule = schedule;
  if (!choices_.follow(schedule)) {
    result.failure = "not a schedule";
    return result;
  }
  tracing_ = true;
  run_once();
  tracing_ = false;
  result.executions = 1;
  result.failure = failure_;
  if (failure_.empty() && !choices_.used_up()) {
    result.failure = "the schedule is longer than the execution";
  }
  result.trace.swap(trace_);
  return result;
}

Exploration Scheduler::pick(const Scenario& scenario, const Bounds& bounds,
                            std::span<const std::uint8_t> bytes) {
  scenario_ = &scenario;
  bounds_ = bounds;
  choices_ = Choices(bytes);
  run_once();
  Exploration result;
  result.executions = 1;
  result.failure = failure_;
  result.schedule = choices_.text();
  return result;
}

void Scheduler::run_once() {
  choices_.rewind();
  locations_.clear();
  mutexes_.clear();
  failure_.clear();
  trace_.clear();
  steps_ = preemptions_ = stale_reads_ = 0;
  thread_count_ = static_cast<ThreadId>(scenario_->threads.size());
  if (thread_count_ > main_thread) {
    std::fputs("a scenario has more threads than the scheduler's clocks\n", stderr);
    std::abort();
  }
  parallel_ = false;
  threads_alive_ = 0;
  current_ = main_thread;
  begin_thread(main_thread, main_entry, Clock{});
  running_ = true;
  Fibre::jump(home_, threads_[main_thread].fibre);
  running_ = false;
}

void Scheduler::begin_thread(ThreadId thread, Fibre::Entry entry, const Clock& clock) {
  Thread& t = threads_[thread];
  t.fibre.restart(entry);
  t.clock = clock;
  t.clock.epochs[thread] = 1;
  t.begun = thread == main_thread || thread < scenario_->begin_at_once;
  t.finished = false;
  t.alive = 1;
  t.waits_for = nullptr;
  t.sleeps_on = nullptr;
  t.held.clear();
}

void Scheduler::main_entry() {
  Scheduler& s = instance();
  s.scenario_->setup();
  if (s.thread_count_ > 0) {
    s.start_threads();
  }
  s.scenario_->check();
  s.end_execution();
}

// Returns when all have finished.
void Scheduler::start_threads() {
  Candidates candidates{};
  for (ThreadId t = 0; t < thread_count_; ++t) {
    begin_thread(t, thread_entry, self().clock);
  }
  tick();
  threads_alive_ = others(candidates, 0);
  parallel_ = true;
  switch_to(candidates[choose(threads_alive_)]);
  parallel_ = false;
  threads_alive_ = 0;
  for (ThreadId t = 0; t < thread_count_; ++t) {
    self().clock.join(threads_[t].clock);
  }
}

void Scheduler::thread_entry() {
  Scheduler& s = instance();
  s.scenario_->threads[s.current_]();
  if (!s.self().held.empty()) {
    s.fail("a thread ended with a lock held");
  }
  s.self().finished = true;
  s.self().alive = 0;
  s.leave();
  std::abort();  // nobody jumps to a finished thread
}

void Scheduler::fail(const std::string& what) {
  failure_ = what;
  trace("FAILED: " + what);
  end_execution();
}

void Scheduler::end_execution() {
  if (!running_) {
    std::fputs("a scenario's function was called outside an execution\n", stderr);
    std::abort();
  }
  Fibre::jump(self().fibre, home_);
  std::abort();  // an ended execution is not gone on with
}

void Scheduler::trace(const std::string& what) {
  if (tracing_) {
    const std::string who =
        current_ == main_thread ? "main    " : "thread " + std::to_string(current_);
    trace_.push_back(who + "  " + what);
  }
}

// --- Who runs -----------------------------------------------------------------------------------

std::uint32_t Scheduler::choose(std::uint32_t options) {
  if (options <= 1) {
    return 0;
  }
  const std::uint32_t option = choices_.choose(options);
  if (!choices_.fits()) {
    fail("the schedule does not fit this program, or it depends on more than its choices");
  }
  return option;
}

bool Scheduler::runnable(ThreadId thread) const {
  const Thread& t = threads_[thread];
  return t.begun && !t.finished && t.sleeps_on == nullptr &&
         (t.waits_for == nullptr || *t.waits_for == 0);
}

// Appends those that could run instead of the current one; returns the new count.
std::uint32_t Scheduler::others(Candidates& into, std::uint32_t count) const {
  for (ThreadId t = 0; t < thread_count_; ++t) {
    if (t != current_ && runnable(t)) {
      into[count++] = t;
    }
  }
  return count;
}

void Scheduler::switch_to(ThreadId thread) {
  Thread& from = self();
  current_ = thread;
  Fibre::jump(from.fibre, threads_[thread].fibre);
}

void Scheduler::point() {
  if (++steps_ > bounds_.steps) {
    fail("no end after " + std::to_string(bounds_.steps) + " steps: a livelock");
  }
  if (!parallel_ || preemptions_ == bounds_.preemptions) {
    return;
  }
  Candidates candidates{current_};
  const ThreadId next = candidates[choose(others(candidates, 1))];
  if (next != current_) {
    ++preemptions_;
    switch_to(next);
  }
}

// The current thread cannot go on; returns when it can.
void Scheduler::leave() {
  Candidates candidates{};
  const std::uint32_t count = others(candidates, 0);
  if (count > 0) {
    switch_to(candidates[choose(count)]);
    return;
  }
  const auto finished = [](const Thread& t) { return t.finished; };
  if (!parallel_ || !std::all_of(threads_.begin(), threads_.begin() + thread_count_, finished)) {
    fail_deadlock();
  }
  switch_to(main_thread);
}

void Scheduler::fail_deadlock() {
  std::string what = "deadlock:";
  for (ThreadId t = 0; t < threads_max; ++t) {
    const Thread& thread = threads_[t];
    const std::string who = " thread " + std::to_string(t);
    if (thread.finished || (t >= thread_count_ && t != current_)) {
      continue;
    }
    if (!thread.begun) {
      what += who + " was never started;";
    } else if (thread.sleeps_on != nullptr) {
      what += who + " is never woken;";
    } else if (thread.waits_for != nullptr) {
      what += who + " waits for thread " + std::to_string(*thread.waits_for - 1) + ";";
    }
  }
  what.pop_back();
  fail(what);
}

void Scheduler::become_only_thread() {
  for (ThreadId t = 0; t < thread_count_; ++t) {
    threads_[t].finished |= threads_[t].begun && t != current_;
    self().clock.join(threads_[t].clock);  // the copy holds all that was ever written
  }
  threads_alive_ = 1;
  trace("goes on as a process of its own");
}

// In turn, with no choice: two that wait for a third must not pass the time between them.
void Scheduler::yield() {
  for (ThreadId i = 1; i < thread_count_; ++i) {
    const ThreadId next = (current_ + i) % thread_count_;
    if (runnable(next)) {
      switch_to(next);
      return;
    }
  }
}

void Scheduler::start(ThreadId thread) {
  point();
  Thread& t = threads_[thread];
  if (thread >= thread_count_ || t.begun) {
    fail("thread " + std::to_string(thread) + " cannot be started");
  }
  t.clock.join(self().clock);
  tick();
  t.begun = true;
  ++threads_alive_;
  trace("starts thread " + std::to_string(thread));
}

void Scheduler::join(ThreadId thread) {
  point();
  if (threads_[thread].alive != 0) {
    self().waits_for = &threads_[thread].alive;
    leave();
    self().waits_for = nullptr;
  }
  self().clock.join(threads_[thread].clock);
  --threads_alive_;
  trace("joins thread " + std::to_string(thread));
}

}  // namespace strata::check
