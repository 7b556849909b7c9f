// The checker checked: small programs of which it is known what C++ lets them do. Each outcome that
// is permitted must be found, and none that is forbidden.
//
// Modelled here: loads and stores of up to four threads over one or two atomics, mutexes, plain
// data; threads that others start, a futex (litmus_threads.cpp). Left out: what the model itself
// leaves out (see props/support/scheduler.hpp).
#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "props/support/scheduler_plain.hpp"
#include "props/support/scheduler_sync.hpp"
#include "props/support/scheduler_test.hpp"

namespace strata::check {
namespace {

using Mutex = SchedulingSync::Mutex;
using Int = SchedulingSync::Atomic<int>;
constexpr auto relaxed = std::memory_order_relaxed;
constexpr auto acquire = std::memory_order_acquire;
constexpr auto release = std::memory_order_release;
constexpr auto acq_rel = std::memory_order_acq_rel;
constexpr auto seq_cst = std::memory_order_seq_cst;

using Outcomes = std::set<std::pair<int, int>>;

// Two threads share x, y and the plain data; each leaves a result.
class Litmus : public testing::Test {
 protected:
  void reset() {
    x = y = Int{};
    a = b = Mutex{};
    data.reset(0);
    first = second = -1;
  }

  template <class... Threads>
  Scenario of(Threads... threads) {
    return {.setup = [this] { reset(); },
            .threads = {std::move(threads)...},
            .check = [this] { outcomes.emplace(first, second); }};
  }

  // Every (first, second) that some schedule gives.
  template <class... Threads>
  Outcomes all(Threads... threads) {
    expect_passes(of(std::move(threads)...));
    return outcomes;
  }

  Int x, y;
  Mutex a, b;
  Plain<int> data;
  int first = -1, second = -1;
  Outcomes outcomes;
};

using StoreBuffering = Litmus;

TEST_F(StoreBuffering, relaxed_reads_both_old_values) {
  EXPECT_EQ(all([&] { x.store(1, relaxed), first = y.load(relaxed); },
                [&] { y.store(1, relaxed), second = x.load(relaxed); }),
            (Outcomes{{0, 0}, {0, 1}, {1, 0}, {1, 1}}));
}

TEST_F(StoreBuffering, release_and_acquire_read_both_old_values) {
  EXPECT_TRUE(all([&] { x.store(1, release), first = y.load(acquire); },
                  [&] { y.store(1, release), second = x.load(acquire); })
                  .contains({0, 0}));
}

TEST_F(StoreBuffering, seq_cst_never_reads_both_old_values) {
  EXPECT_EQ(all([&] { x.store(1, seq_cst), first = y.load(seq_cst); },
                [&] { y.store(1, seq_cst), second = x.load(seq_cst); }),
            (Outcomes{{0, 1}, {1, 0}, {1, 1}}));
}

// A seq_cst load is ordered with seq_cst stores only.
TEST_F(StoreBuffering, seq_cst_loads_do_not_order_release_stores) {
  EXPECT_TRUE(all([&] { x.store(1, release), first = y.load(seq_cst); },
                  [&] { y.store(1, release), second = x.load(seq_cst); })
                  .contains({0, 0}));
}

using MessagePassing = Litmus;

TEST_F(MessagePassing, release_and_acquire_are_never_stale) {
  EXPECT_EQ(all([&] { x.store(1, relaxed), y.store(1, release); },
                [&] { first = y.load(acquire), second = x.load(relaxed); }),
            (Outcomes{{0, 0}, {0, 1}, {1, 1}}));
}

TEST_F(MessagePassing, relaxed_is_stale) {
  EXPECT_TRUE(all([&] { x.store(1, relaxed), y.store(1, relaxed); },
                  [&] { first = y.load(acquire), second = x.load(relaxed); })
                  .contains({1, 0}));
}

TEST_F(MessagePassing, relaxed_load_of_a_release_is_stale) {
  EXPECT_TRUE(all([&] { x.store(1, relaxed), y.store(1, release); },
                  [&] { first = y.load(relaxed), second = x.load(relaxed); })
                  .contains({1, 0}));
}

// A relaxed read-modify-write continues the release sequence; a relaxed store ends it.
TEST_F(MessagePassing, release_sequence_goes_through_updates_only) {
  const auto reader = [&] { first = y.load(acquire), second = x.load(relaxed); };
  const Outcomes update =
      all([&] { x.store(1, relaxed), y.store(1, release), y.fetch_add(1, relaxed); }, reader);
  EXPECT_TRUE(update.contains({2, 1}));
  EXPECT_FALSE(update.contains({2, 0}));
  outcomes.clear();
  EXPECT_TRUE(all([&] { x.store(1, relaxed), y.store(1, release), y.store(2, relaxed); }, reader)
                  .contains({2, 0}));
}

TEST_F(MessagePassing, plain_data_behind_an_acquire_is_ordered) {
  expect_passes(of([&] { data.write(1), y.store(1, release); },
                   [&] {
                     if (y.load(acquire) == 1) {
                       require(data.read() == 1, "old data");
                     }
                   }));
}

TEST_F(MessagePassing, plain_data_behind_a_relaxed_store_races) {
  expect_fails(of([&] { data.write(1), y.store(1, relaxed); },
                  [&] {
                    if (y.load(acquire) == 1) {
                      data.read();
                    }
                  }),
               "data race: a read");
}

// A message that a third thread passes on.
TEST_F(MessagePassing, goes_through_a_third_thread) {
  const Outcomes found = all([&] { x.store(1, release); },
                             [&] {
                               if (x.load(acquire) == 1) {
                                 y.store(1, release);
                               }
                             },
                             [&] { first = y.load(acquire), second = x.load(relaxed); });
  EXPECT_TRUE(found.contains({1, 1}));
  EXPECT_FALSE(found.contains({1, 0}));
}

TEST_F(MessagePassing, a_relaxed_third_thread_passes_nothing_on) {
  expect_fails(of([&] { data.write(1), x.store(1, release); },
                  [&] {
                    if (x.load(relaxed) == 1) {
                      y.store(1, release);
                    }
                  },
                  [&] {
                    if (y.load(acquire) == 1) {
                      data.read();
                    }
                  }),
               "data race: a read");
}

// Two threads write, two read both in opposite order: each result is what was read first, times
// ten, and what was read then. (10, 10): the readers disagree about which store came first.
class IndependentReads : public Litmus {
 protected:
  Outcomes with(std::memory_order stores, std::memory_order loads) {
    return all([=, this] { x.store(1, stores); }, [=, this] { y.store(1, stores); },
               [=, this] { first = 10 * x.load(loads), first += y.load(loads); },
               [=, this] { second = 10 * y.load(loads), second += x.load(loads); });
  }
};

TEST_F(IndependentReads, acquire_may_disagree) {
  EXPECT_TRUE(with(release, acquire).contains({10, 10}));
}

TEST_F(IndependentReads, seq_cst_agree) {
  const Outcomes found = with(seq_cst, seq_cst);
  EXPECT_TRUE(found.contains({10, 11}));
  EXPECT_FALSE(found.contains({10, 10}));
}

// The reads alone are one total order, which each store must fit into.
TEST_F(IndependentReads, seq_cst_reads_of_release_stores_agree) {
  EXPECT_FALSE(with(release, seq_cst).contains({10, 10}));
}

// What C++ permits and this search never does: it is the stronger model there.
using LeftOut = Litmus;

TEST_F(LeftOut, load_buffering_reads_from_the_future) {
  EXPECT_EQ(all([&] { first = x.load(relaxed), y.store(1, relaxed); },
                [&] { second = y.load(relaxed), x.store(1, relaxed); }),
            (Outcomes{{0, 0}, {0, 1}, {1, 0}}));
}

TEST_F(LeftOut, two_stores_each_that_pass_one_another) {
  const auto final_values = [&] { first = x.load(relaxed), second = y.load(relaxed); };
  Scenario scenario = of([&] { x.store(1, relaxed), y.store(2, relaxed); },
                         [&] { y.store(1, relaxed), x.store(2, relaxed); });
  scenario.check = [&] {
    final_values();
    outcomes.emplace(first, second);
  };
  expect_passes(scenario);
  EXPECT_EQ(outcomes, (Outcomes{{1, 2}, {2, 1}, {2, 2}}));
}

using Coherence = Litmus;

TEST_F(Coherence, two_reads_of_one_object_never_go_back) {
  const Outcomes found = all([&] { x.store(1, relaxed), x.store(2, relaxed); },
                             [&] { first = x.load(relaxed), second = x.load(relaxed); });
  EXPECT_EQ(found, (Outcomes{{0, 0}, {0, 1}, {0, 2}, {1, 1}, {1, 2}, {2, 2}}));
}

TEST_F(Coherence, a_thread_sees_its_own_store_or_a_later_one) {
  EXPECT_EQ(all([&] { x.store(1, relaxed), first = x.load(relaxed); },
                [&] { x.store(2, relaxed), second = x.load(relaxed); }),
            (Outcomes{{1, 2}, {2, 2}, {1, 1}}));
}

TEST_F(Coherence, updates_are_never_lost) {
  expect_passes({.setup = [this] { reset(); },
                 .threads = {3, [&] { x.fetch_add(1, relaxed); }},
                 .check = [this] { require(x.load(relaxed) == 3, "an update was lost"); }});
}

TEST_F(Coherence, a_load_and_a_store_are_no_update) {
  const auto add = [&] { x.store(x.load(relaxed) + 1, relaxed); };
  expect_fails({.setup = [this] { reset(); },
                .threads = {2, add},
                .check = [this] { require(x.load(relaxed) == 2, "an update was lost"); }},
               "an update was lost");
}

TEST_F(Coherence, compare_exchange_succeeds_once_and_may_fail_on_an_old_value) {
  const auto take = [&](int& result) {
    int expected = 0;
    result = x.compare_exchange_strong(expected, 1, acq_rel, relaxed) ? 10 : expected;
  };
  EXPECT_EQ(all([&] { take(first); }, [&] { take(second); }), (Outcomes{{10, 1}, {1, 10}}));
  outcomes.clear();
  // 3 was overwritten by 0 before, yet a failure may return it; success must have seen the 0.
  EXPECT_EQ(
      all([&] { x.store(3, relaxed), x.store(0, relaxed), first = 0; }, [&] { take(second); }),
      (Outcomes{{0, 10}, {0, 3}}));
}

using Locks = Litmus;

TEST_F(Locks, exclude_and_order) {
  const auto add = [&] {
    const Guard guard(a, rank::commit);
    data.write(data.read() + 1);
  };
  expect_passes({.setup = [this] { reset(); },
                 .threads = {3, add},
                 .check = [this] { require(data.read() == 3, "an update was lost"); }});
}

TEST_F(Locks, a_forgotten_one_is_found) {
  expect_fails(of(
                   [&] {
                     const Guard guard(a, rank::commit);
                     data.write(1);
                   },
                   [&] { data.write(2); }),
               "data race: a write");
}

// No schedule lets these two collide in time: only happens-before tells.
TEST_F(Locks, two_different_ones_do_not_order) {
  const auto write = [&](Mutex& mutex) {
    const Guard guard(mutex, rank::commit);
    data.write(1);
  };
  expect_fails(of([&] { write(a); }, [&] { write(b); }), "data race: a write", {.preemptions = 0});
}

TEST_F(Locks, try_lock_is_busy_only_while_it_is_held) {
  const Outcomes found = all(
      [&] {
        const Guard guard(a, rank::commit);
        first = 1;
      },
      [&] { second = Guard<Mutex>::try_lock(a, rank::commit) ? 1 : 0; });
  EXPECT_EQ(found, (Outcomes{{1, 0}, {1, 1}}));
}

// The deadlock that ranks prevent: here each thread gives the two locks ranks of its own.
TEST_F(Locks, a_deadlock_is_found) {
  const auto take_both = [](Mutex& one, Mutex& other) {
    const Guard<Mutex, role::Commit> outer(one, rank::commit);
    const Guard<Mutex, role::Purge> inner(other, rank::purge);
  };
  expect_fails(of([=, this] { take_both(a, b); }, [=, this] { take_both(b, a); }),
               "deadlock: thread 0 waits for thread 1; thread 1 waits for thread 0");
}

TEST_F(Locks, a_wrong_order_is_found_without_a_deadlock) {
  expect_fails(of(
                   [&] {
                     const Guard<Mutex, role::Purge> outer(a, rank::purge);
                     const Guard<Mutex, role::Commit> inner(b, rank::commit);
                   },
                   [] {}),
               "lock order: rank 2 taken while holding rank 3");
}

TEST_F(Locks, waiting_for_oneself_is_found) {
  expect_fails(of(
                   [&] {
                     a.lock(rank::commit);
                     a.lock(rank::purge);
                   },
                   [] {}),
               "deadlock: thread 0 waits for thread 0");
}

TEST_F(Locks, a_lock_left_at_the_end_is_found) {
  expect_fails(of([&] { a.lock(rank::commit); }, [] {}), "ended with a lock held");
}

using Search = Litmus;

TEST_F(Search, a_livelock_is_found) {
  expect_fails(of(
                   [&] {
                     while (x.load(relaxed) == 0) {
                     }
                   },
                   [] {}),
               "a livelock");
}

// Three operations cut a thread into four steps; without bounds the schedules of two threads are
// the ways to merge their steps: 8 over 4.
TEST_F(Search, runs_every_schedule_once) {
  const auto steps = [](Int& at) {
    at.store(1, relaxed), at.store(2, relaxed), at.store(3, relaxed);
  };
  const Exploration all =
      scheduler().explore(of([&] { steps(x); }, [&] { steps(y); }), {.preemptions = 100});
  EXPECT_TRUE(all.complete);
  EXPECT_EQ(all.executions, 70U);
}

// With one preemption: either thread first, cut at one of its steps (or not at all).
TEST_F(Search, keeps_the_bound_on_preemptions) {
  const auto steps = [](Int& at) {
    at.store(1, relaxed), at.store(2, relaxed), at.store(3, relaxed);
  };
  const Scenario scenario = of([&] { steps(x); }, [&] { steps(y); });
  EXPECT_EQ(scheduler().explore(scenario, {.preemptions = 0}).executions, 2U);
  EXPECT_EQ(scheduler().explore(scenario, {.preemptions = 1}).executions, 2U + 2 * 3);
}

TEST_F(Search, says_when_it_did_not_finish) {
  const auto steps = [](Int& at) { at.store(1, relaxed), at.store(2, relaxed); };
  const Exploration some =
      scheduler().explore(of([&] { steps(x); }, [&] { steps(y); }), {.executions = 3});
  EXPECT_TRUE(some.passed());
  EXPECT_FALSE(some.complete);
  EXPECT_EQ(some.executions, 3U);
}

TEST_F(Search, refuses_a_schedule_that_does_not_fit) {
  const Scenario scenario = of([&] { x.store(1, relaxed); }, [&] { y.store(1, relaxed); });
  for (const char* schedule : {"0.7", "x", "0.1,", "1.1,0.1", "99.1"}) {
    EXPECT_FALSE(scheduler().replay(scenario, {}, schedule).passed()) << schedule;
  }
  EXPECT_TRUE(scheduler().replay(scenario, {}, "-").passed());
  EXPECT_TRUE(scheduler().replay(scenario, {}, "0.1").passed());
}

}  // namespace
}  // namespace strata::check
