// The checker checked: small programs of which it is known what C++ lets them do. Each outcome that
// is permitted must be found, and none that is forbidden.
//
// Modelled here: loads and stores of up to four threads over one or two atomics, plain data behind
// them. Elsewhere: what orders plain data and what does not (litmus_races.cpp); mutexes, and the
// search itself (litmus_search.cpp); threads that others start, a futex (litmus_threads.cpp). Left
// out: what the model itself leaves out (see props/support/scheduler.hpp).
#include "props/interleave/litmus.hpp"

namespace strata::check {
namespace {

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

}  // namespace
}  // namespace strata::check
