// The checker checked, continued: threads that start and join others, elided locks, the futex.
//
// Modelled here: what those order, and what is found when they are used wrongly.
// Left out: what the model itself leaves out (see props/support/scheduler.hpp).
#include <gtest/gtest.h>

#include <set>

#include "props/support/scheduler_plain.hpp"
#include "props/support/scheduler_sync.hpp"
#include "props/support/scheduler_test.hpp"

namespace strata::check {
namespace {

class LitmusThreads : public testing::Test {
 protected:
  // The first thread has to start the others.
  Scenario of(std::vector<std::function<void()>> threads, bool may_elide = false) {
    return {.setup =
                [this] {
                  mutex = {};
                  word = ScheduledKernel::Word{};
                  data.reset(0);
                },
            .threads = std::move(threads),
            .check = [] {},
            .begin_at_once = 1,
            .may_elide = may_elide};
  }
  Scenario of_two_at_once(std::function<void()> one, std::function<void()> other) {
    Scenario scenario = of({std::move(one), std::move(other)});
    scenario.begin_at_once = 2;
    return scenario;
  }
  void write_locked() {
    const Guard guard(mutex, rank::commit);
    data.write(1);
  }

  SchedulingSync::Mutex mutex;
  ScheduledKernel::Word word;
  Plain<int> data;
};

TEST_F(LitmusThreads, start_and_join_order) {
  expect_passes(of({[&] {
                      data.write(1);
                      scheduler().start(1);
                      scheduler().join(1);
                      require(data.read() == 2, "the joined thread wrote");
                    },
                    [&] { data.write(2); }}));
}

TEST_F(LitmusThreads, what_follows_a_start_is_not_ordered) {
  expect_fails(of({[&] {
                     scheduler().start(1);
                     data.write(1);
                   },
                   [&] { data.write(2); }}),
               "data race: a write");
}

TEST_F(LitmusThreads, a_thread_that_nobody_starts_is_found) {
  expect_fails(of({[] {}, [] {}}), "deadlock: thread 1 was never started");
}

TEST_F(LitmusThreads, locks_are_elided_while_there_is_one) {
  expect_passes(of({[&] {
                      require(!mutex.lock(rank::commit), "elided: there is one thread");
                      scheduler().start(1);
                      require(mutex.lock(rank::commit), "not elided: there are two");
                      mutex.unlock(rank::commit);
                      scheduler().join(1);
                      require(!mutex.lock(rank::commit), "elided again");
                    },
                    [&] { write_locked(); }},
                   true));
}

// An eliding lock that believed in one thread for ever.
TEST_F(LitmusThreads, a_lock_elided_among_two_is_found) {
  expect_fails(of({[&] {
                     scheduler().start(1);
                     data.write(1);
                   },
                   [&] { write_locked(); }},
                  true),
               "data race: a write");
}

TEST_F(LitmusThreads, a_sleeper_is_woken) {
  expect_passes(of_two_at_once(
      [&] {
        while (word.load(std::memory_order_acquire) == 0) {
          scheduler().sleep(&word, 0);
        }
      },
      [&] {
        word.store(1, std::memory_order_release);
        scheduler().wake_one(&word);
      }));
}

// Of two that sleep either may be woken, and wakes the other.
TEST_F(LitmusThreads, any_sleeper_is_woken) {
  std::uint32_t asleep = 0;
  int woken = -1;
  std::set<int> woken_of_two;
  const auto sleep = [&](int self) {
    ++asleep;
    scheduler().sleep(&word, 0);
    woken = woken < 0 ? self : woken;
    scheduler().wake_one(&word);
  };
  bool two = false;
  Scenario scenario = of({[&] { sleep(0); }, [&] { sleep(1); },
                          [&] {
                            two = asleep == 2;
                            word.store(1, std::memory_order_relaxed);
                            scheduler().wake_one(&word);
                          }});
  scenario.begin_at_once = 3;
  scenario.check = [&] {
    if (two) {
      woken_of_two.insert(woken);
    }
    asleep = 0;
    woken = -1;
  };
  expect_passes(scenario, {.preemptions = 0});
  EXPECT_EQ(woken_of_two, (std::set<int>{0, 1}));
}

TEST_F(LitmusThreads, a_lost_wake_up_is_found) {
  expect_fails(of_two_at_once(
                   [&] {
                     if (word.load(std::memory_order_acquire) == 0) {
                       scheduler().sleep(&word, 0);
                     }
                   },
                   [&] {
                     scheduler().wake_one(&word);
                     word.store(1, std::memory_order_release);
                   }),
               "deadlock: thread 0 is never woken");
}

// Waking orders nothing; only the word does.
TEST_F(LitmusThreads, sleeping_does_not_order) {
  expect_fails(of_two_at_once(
                   [&] {
                     scheduler().sleep(&word, 0);
                     data.read();
                   },
                   [&] {
                     data.write(1);
                     word.store(1, std::memory_order_relaxed);
                     scheduler().wake_one(&word);
                   }),
               "data race: a read");
}

// Without counting as preemptions, so that who spins does not keep the others from going on.
TEST_F(LitmusThreads, a_yield_lets_others_go_on) {
  expect_passes(of_two_at_once(
                    [&] {
                      while (word.load(std::memory_order_acquire) == 0) {
                        scheduler().yield();
                      }
                    },
                    [&] { word.store(1, std::memory_order_release); }),
                {.preemptions = 0});
}

}  // namespace
}  // namespace strata::check
