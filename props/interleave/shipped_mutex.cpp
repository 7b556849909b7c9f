// The futex mutex that ships, itself: its memory orders, and who wakes whom. Everywhere else in
// this room locks are the scheduler's own, which have no orders to get wrong.
//
// Modelled: the word as an atomic with the declared orders; sleeping, waking, one spin.
// Left out: spurious wake-ups, more spins.
#include <gtest/gtest.h>

#include "props/support/scheduler_plain.hpp"
#include "props/support/scheduler_sync.hpp"
#include "props/support/scheduler_test.hpp"

namespace strata::check {
namespace {

class ShippedMutex : public testing::Test {
 protected:
  using Mutex = FutexMutex<ScheduledKernel>;

  void update() {
    const Guard guard(mutex, rank::commit);
    data.write(data.read() + 1);
  }
  void update_giving_way() {
    Guard guard(mutex, rank::commit);
    data.write(data.read() + 1);
    guard.give_way();
    data.write(data.read() + 1);
  }
  void try_update() {
    if (const auto guard = Guard<Mutex>::try_lock(mutex, rank::commit)) {
      data.write(data.read() + 1);
    } else {
      ++busy;
    }
  }
  Scenario of(std::vector<std::function<void()>> threads, int updates) {
    return {.setup =
                [this] {
                  mutex = Mutex{};
                  data.reset(0);
                  busy = 0;
                },
            .threads = std::move(threads),
            .check = [=, this] { require(data.read() + busy == updates, "an update was lost"); }};
  }

  Mutex mutex;
  Plain<int> data;
  int busy = 0;
};

TEST_F(ShippedMutex, excludes_and_orders_two_threads) {
  const auto twice = [this] { update(), update(); };
  expect_passes(of({twice, twice}, 4), {.preemptions = 4});
}

// One sleeps while another comes and a third goes: nobody sleeps for ever.
TEST_F(ShippedMutex, wakes_whoever_sleeps) {
  const auto once = [this] { update(); };
  expect_passes(of({once, once, once}, 3), {.preemptions = 4});
}

TEST_F(ShippedMutex, wakes_whoever_sleeps_when_it_is_taken_again) {
  const auto twice = [this] { update(), update(); };
  expect_passes(of({twice, twice, twice}, 6));
}

// Whoever it gives way to may be awake, asleep or not there.
TEST_F(ShippedMutex, gives_way) {
  const auto once = [this] { update(); };
  const auto giving_way = [this] { update_giving_way(); };
  expect_passes(of({giving_way, once, once}, 4), {.preemptions = 3});
}

TEST_F(ShippedMutex, is_tried_without_waiting) {
  const auto once = [this] { update(); };
  const auto attempt = [this] { try_update(); };
  expect_passes(of({once, attempt, attempt}, 3), {.preemptions = 3});
}

}  // namespace
}  // namespace strata::check
