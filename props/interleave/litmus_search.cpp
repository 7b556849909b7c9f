// The checker checked, continued: mutexes and the order in which they may be taken, and whether the
// search runs the schedules that there are.
//
// Modelled here: two or three threads, a few steps each.
// Left out: what the model itself leaves out (see props/support/scheduler.hpp).
#include "props/interleave/litmus.hpp"

namespace strata::check {
namespace {

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

// Nor may two of one rank be held at once: somebody else takes them the other way round.
TEST_F(Locks, two_of_one_rank_are_found) {
  expect_fails(of(
                   [&] {
                     const Guard<Mutex, role::Commit> outer(a, rank::commit);
                     const Guard<Mutex, role::Purge> inner(b, rank::commit);
                   },
                   [] {}),
               "lock order: rank 2 taken while holding rank 2");
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

// Where a thread ends, each of the others may go on: three in every order, without a preemption.
TEST_F(Search, goes_on_with_any_thread) {
  const Exploration all = scheduler().explore(
      of([&] { x.store(1, relaxed); }, [&] { x.store(2, relaxed); }, [&] { x.store(3, relaxed); }),
      {.preemptions = 0});
  EXPECT_EQ(all.executions, 3U * 2);
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
