// A deterministic scheduler: runs a small scenario of threads under every interleaving of its
// synchronising operations, up to a bound on preemptions, and under every stale value that the
// declared memory orders let an atomic load return, up to a bound of its own.
//
// Modelled: mutexes (with their rank order), atomics with relaxed, acquire, release and seq_cst
// orders and release sequences (see scheduler_location.hpp), system calls of the Memory seam as
// points where others may run, happens-before of plain data (see scheduler_plain.hpp), threads that
// others start and join, a futex.
// Left out: fences, spurious wake-ups, spurious failure of try_lock and of weak compare-exchange,
// load buffering, more preemptions than the bound.
//
// Threads are fibres of one system thread, so the scenario must not block, sleep, start threads, or
// let an exception leave a thread. A failure ends the execution at once: no destructors run.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "props/support/scheduler_choices.hpp"
#include "props/support/scheduler_clock.hpp"
#include "props/support/scheduler_fibre.hpp"
#include "props/support/scheduler_location.hpp"
#include "props/support/scheduler_table.hpp"
#include "sync/guard.hpp"

namespace strata::check {

struct Bounds {
  std::uint32_t preemptions = 2;  // switches away from a thread that could have gone on
  std::uint32_t stale_reads = 2;  // loads that return another than the newest value
  std::uint64_t executions = 2'000'000;
  std::uint32_t steps = 20'000;  // in one execution: more is taken for a livelock
};

// Everything must start from `setup`: nothing may be kept from one execution to the next.
struct Scenario {
  std::function<void()> setup;  // before the threads
  std::vector<std::function<void()>> threads;
  std::function<void()> check;  // after all of them
  // These begin with the scenario; the rest when another calls start().
  ThreadId begin_at_once = threads_max;
  // Locks are elided while there is one thread: what __libc_single_threaded is to the process.
  bool may_elide = false;
};

struct Exploration {
  std::uint64_t executions = 0;
  bool complete = false;           // every schedule within the bounds was run
  std::string failure;             // empty: none
  std::string schedule;            // of the failure
  std::vector<std::string> trace;  // what the threads did, if it was asked for

  bool passed() const { return failure.empty(); }
};

class Scheduler {
 public:
  static Scheduler& instance();

  // All schedules within the bounds, up to the first that fails.
  Exploration explore(const Scenario& scenario, const Bounds& bounds);
  // The one schedule given, with a trace.
  Exploration replay(const Scenario& scenario, const Bounds& bounds, std::string_view schedule);
  // The one schedule that the bytes pick.
  Exploration pick(const Scenario& scenario, const Bounds& bounds,
                   std::span<const std::uint8_t> bytes);

  // --- From within a scenario -------------------------------------------------------------------
  bool running() const { return running_; }
  // No thread but the main one exists.
  bool alone() const { return !parallel_; }
  ThreadId thread() const { return current_; }
  const Clock& clock() const { return self().clock; }
  [[noreturn]]
  void fail(const std::string& what);
  // A choice that is explored like one of schedule; 0 <= result < options.
  std::uint32_t choose(std::uint32_t options);
  // Another thread may run here.
  void point();
  // The next thread that can runs here; no preemption.
  void yield();
  void start(ThreadId thread);
  void join(ThreadId thread);
  // Whether locks are elided now.
  bool single_threaded() const { return scenario_->may_elide && threads_alive_ <= 1; }
  // The other threads are never heard of again and the locks are open: a fork's child. The fork
  // handlers have the locks, so nobody is inside the books.
  void become_only_thread();
  bool tracing() const { return tracing_; }
  void trace(const std::string& what);

  // --- Mutexes: the word in memory is the holder + 1, 0 when free -------------------------------
  void lock(std::uint32_t& word, Rank rank);
  bool try_lock(std::uint32_t& word, Rank rank);
  void unlock(std::uint32_t& word, Rank rank);

  // --- A futex: sleeps if the word has the value ------------------------------------------------
  void sleep(const void* word, std::uint32_t expected);
  void wake_one(const void* word);

  // --- Atomics: their bytes hold the newest value -----------------------------------------------
  std::uint64_t load(const void* object, std::size_t size, std::memory_order order);
  void store(void* object, std::size_t size, std::uint64_t value, std::memory_order order);
  // A read-modify-write in two halves with nothing between.
  std::uint64_t update_begin(void* object, std::size_t size, std::memory_order order);
  void update_end(void* object, std::size_t size, std::uint64_t value, std::memory_order order);
  bool compare_exchange(void* object, std::size_t size, std::uint64_t& expected,
                        std::uint64_t desired, std::memory_order success,
                        std::memory_order failure);
  // The bytes were rewritten by other means (the system dropped the page): histories begin anew.
  void forget_atomics(std::uintptr_t begin, std::uintptr_t end);

 private:
  struct Thread {
    Fibre fibre;
    Clock clock;
    bool begun = false;
    bool finished = true;
    std::uint32_t alive = 0;                   // 1 until it ends: what join() waits for
    const std::uint32_t* waits_for = nullptr;  // runs once this is 0
    const void* sleeps_on = nullptr;           // a futex's word
    std::vector<Rank> held;
  };
  struct MutexClock {
    Clock clock;
  };
  using Candidates = std::array<ThreadId, threads_max>;
  static constexpr ThreadId main_thread = threads_max - 1;

  Thread& self() { return threads_[current_]; }
  const Thread& self() const { return threads_[current_]; }
  static void main_entry();
  static void thread_entry();
  void run_once();
  void start_threads();
  void begin_thread(ThreadId thread, Fibre::Entry entry, const Clock& clock);
  [[noreturn]]
  void end_execution();
  void tick() { ++self().clock.epochs[current_]; }

  bool runnable(ThreadId thread) const;
  std::uint32_t others(Candidates& into, std::uint32_t count) const;
  void switch_to(ThreadId thread);
  void leave();
  [[noreturn]]
  void fail_deadlock();
  void check_rank(Rank rank);
  void acquire_mutex(std::uint32_t& word, Rank rank);

  Location& location(const void* object, std::size_t size);
  std::uint64_t read(Location& at, std::uint32_t index, std::memory_order order);
  void write(Location& at, void* object, std::size_t size, std::uint64_t value,
             const Clock& inherited, std::memory_order order);
  std::uint32_t choose_store(std::uint32_t options);

  const Scenario* scenario_ = nullptr;
  Bounds bounds_;
  Choices choices_;
  Fibre home_;
  std::array<Thread, threads_max> threads_;
  ThreadId current_ = main_thread;
  ThreadId thread_count_ = 0;
  ThreadId threads_alive_ = 0;  // begun, and not joined
  bool running_ = false;
  bool parallel_ = false;
  bool tracing_ = false;
  std::uint32_t steps_ = 0;
  std::uint32_t preemptions_ = 0;
  std::uint32_t stale_reads_ = 0;
  std::string failure_;
  std::vector<std::string> trace_;
  AddressTable<Location> locations_;
  AddressTable<MutexClock> mutexes_;
};

inline Scheduler& scheduler() { return Scheduler::instance(); }

}  // namespace strata::check
