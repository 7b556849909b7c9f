// Two heaps in one process: their locks have the same ranks, and nobody ever holds locks of both.
//
// Modelled: threads that use both at once; what is freed to the wrong one.
// Left out: more than two.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class TwoHeaps : public testing::Test {
 protected:
  Stage here, there;

  void open() {
    here.open(2);
    there.open(2);
  }
  void finish() {
    here.finish({});
    there.finish({});
  }
  static void work(Stage& first, Stage& second, std::uint64_t size) {
    const Stage::Object a = first.take(first.dead(), size);
    const Stage::Object b = second.take(second.dead(), size);
    first.give(first.dead(), a);
    second.give(second.dead(), b);
  }
};

TEST_F(TwoHeaps, are_used_crosswise) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { work(here, there, Stage::small_item); },
                             [&] { work(there, here, Stage::small_item); }},
                 .check = [&] { finish(); }});
}

TEST_F(TwoHeaps, are_used_by_three_threads) {
  const auto take_and_give = [](Stage& stage, std::uint64_t size) {
    stage.give(stage.dead(), stage.take(stage.dead(), size));
  };
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { work(here, there, Stage::small_item); },
                             [&] { take_and_give(here, Stage::small_item); },
                             [&] { take_and_give(there, Stage::small_item); }},
                 .check = [&] { finish(); }});
}

TEST_F(TwoHeaps, one_is_purged_while_the_other_grows) {
  expect_passes({.setup =
                     [&] {
                       open();
                       here.give(here.dead(), here.take(here.dead(), 2 * Stage::segment));
                     },
                 .threads = {[&] { here.allocator().purge(here.dead()); },
                             [&] { work(there, here, Stage::small_item); }},
                 .check = [&] { finish(); }});
}

// The other heap says that it does not know it; the right one still takes it.
TEST_F(TwoHeaps, a_free_to_the_wrong_one_is_reported) {
  Stage::Object object;
  expect_passes({.setup =
                     [&] {
                       open();
                       object = here.take(here.dead(), Stage::small_item);
                     },
                 .threads = {[&] {
                               there.allocator().deallocate(there.dead(), object.address);
                               here.give(here.dead(), object);
                             },
                             [&] { work(here, there, Stage::small_item); }},
                 .check =
                     [&] {
                       require(there.reports().size() == 1, "the wrong heap says so");
                       require(there.reports()[0].problem == Problem::foreign_pointer, "and why");
                       there.reports().clear();
                       finish();
                     }},
                {.preemptions = 3});
}

}  // namespace
}  // namespace strata::check
