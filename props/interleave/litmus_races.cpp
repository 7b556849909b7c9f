// The checker checked, continued: what orders accesses to plain data and what does not, down to the
// byte. A race that is not found here would not be found in the heap either.
//
// Modelled here: two threads and what synchronisation leaves unordered between them; memory that
// the system commits and drops. Left out: what the model itself leaves out (see
// props/support/scheduler.hpp).
#include <array>

#include "props/interleave/litmus.hpp"

namespace strata::check {
namespace {

using Races = Litmus;

// The flag says that the read came first, in every schedule, and orders nothing.
TEST_F(Races, of_a_write_after_a_read) {
  expect_fails(of([&] { data.read(), x.store(1, relaxed); },
                  [&] {
                    if (x.load(relaxed) == 1) {
                      data.write(1);
                    }
                  }),
               "data race: a write");
}

// Without preemptions, each thread runs to its end, and only the clocks can tell.
TEST_F(Races, of_what_follows_a_release) {
  expect_fails(of([&] { x.store(1, release), data.write(1); },
                  [&] {
                    if (x.load(acquire) == 1) {
                      data.read();
                    }
                  }),
               "data race: a read", {.preemptions = 0});
}

TEST_F(Races, of_what_follows_an_update_that_releases) {
  expect_fails(of([&] { x.fetch_add(1, release), data.write(1); },
                  [&] {
                    if (x.load(acquire) == 1) {
                      data.read();
                    }
                  }),
               "data race: a read", {.preemptions = 0});
}

TEST_F(Races, of_what_follows_an_unlock) {
  const auto lock_and_unlock = [&] { const Guard guard(a, rank::commit); };
  expect_fails(
      of([&] { lock_and_unlock(), data.write(1); }, [&] { lock_and_unlock(), data.read(); }),
      "data race: a read", {.preemptions = 0});
}

TEST_F(Races, behind_an_update_that_only_releases) {
  expect_fails(of([&] { data.write(1), x.store(1, release); },
                  [&] {
                    if (x.fetch_add(1, release) == 1) {
                      data.read();
                    }
                  }),
               "data race: a read");
}

// A compare-exchange that fails has only loaded, by the second order given.
TEST_F(Races, behind_a_compare_exchange_that_fails) {
  expect_fails(of([&] { data.write(1), x.store(1, release); },
                  [&] {
                    int expected = 0;
                    if (!x.compare_exchange_strong(expected, 2, acquire, relaxed)) {
                      data.read();
                    }
                  }),
               "data race: a read");
}

// The lock was given up once before, after the write: who finds it held again has learnt nothing.
TEST_F(Races, behind_a_busy_try_lock) {
  expect_fails(of(
                   [&] {
                     {
                       const Guard guard(a, rank::commit);
                       data.write(1);
                     }
                     const Guard again(a, rank::commit);
                     x.store(1, relaxed);
                   },
                   [&] {
                     if (x.load(relaxed) == 1) {
                       const int taken = Guard<Mutex>::try_lock(a, rank::commit) ? 1 : 0;
                       if (taken == 0) {
                         data.read();
                       }
                     }
                   }),
               "data race: a read");
}

// A relaxed load may be stale behind another object's new value, whatever orders the stores had.
TEST_F(Races, of_relaxed_loads_with_stores_of_every_order) {
  EXPECT_TRUE(all([&] { x.store(1, seq_cst), y.store(1, relaxed); },
                  [&] { first = y.load(relaxed), second = x.load(relaxed); })
                  .contains({1, 0}));
}

// Accesses of several bytes to memory of which each byte has a history.
class RacesInMemory : public Litmus {
 protected:
  Scenario of_bytes(std::function<void()> one, std::function<void()> other) {
    Scenario scenario = of(std::move(one), std::move(other));
    scenario.setup = [this] {
      reset();
      plain_memory().watch("bytes", bytes.data(), bytes.size());
      plain_memory().set_usable(bytes.data(), usable);
    };
    return scenario;
  }
  void read(std::size_t at, std::uint64_t size) { plain_memory().access(&bytes[at], size, false); }
  void write(std::size_t at, std::uint64_t size) { plain_memory().access(&bytes[at], size, true); }
  ~RacesInMemory() override { plain_memory().unwatch(bytes.data()); }

  static constexpr std::size_t usable = 16;
  std::array<std::byte, 2 * usable> bytes{};
};

TEST_F(RacesInMemory, neighbours_do_not_race) {
  expect_passes(of_bytes([&] { write(0, 8); }, [&] { write(8, 8); }));
  expect_passes(of_bytes([&] { read(0, 8); }, [&] { read(4, 8); }));
}

TEST_F(RacesInMemory, of_the_last_byte) {
  expect_fails(of_bytes([&] { write(7, 1); }, [&] { write(0, 8); }), "data race: thread");
  expect_fails(of_bytes([&] { read(7, 1); }, [&] { write(0, 8); }), "data race: thread");
  expect_fails(of_bytes([&] { write(0, 8); }, [&] { read(7, 1); }), "data race: thread");
}

// What the system drops it writes; what nobody has touched it may drop at any time.
TEST_F(RacesInMemory, of_what_the_system_drops) {
  const auto drop = [&] { plain_memory().drop(bytes.data(), usable); };
  expect_fails(of_bytes(drop, [&] { read(15, 1); }), "data race: thread");
  expect_fails(of_bytes(drop, [&] { write(0, 1); }), "data race: thread");
  expect_passes(of_bytes(drop, [] {}));
}

TEST_F(RacesInMemory, what_is_not_committed_is_not_touched) {
  expect_fails(of_bytes([&] { read(usable - 1, 2); }, [] {}),
               "bytes+0x10 is touched before it was committed");
  expect_passes(of_bytes([&] { read(0, usable); }, [] {}));
}

}  // namespace
}  // namespace strata::check
