// What takes three: somebody comes between two that already race.
//
// Modelled: the combinations that two threads cannot make, with two preemptions each.
// Left out: a fourth thread; what more preemptions would find.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class ThreeThreads : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects;

  void open(std::uint32_t segments, std::uint32_t items) {
    stage.open(segments);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
    objects = stage.take_many(other, Stage::small_item, items);
  }
  void detach(Stage::Cache*& cache) {
    stage.allocator().detach(cache);
    cache = stage.dead();
  }
  void take_and_give(std::uint64_t size) {
    stage.give(stage.dead(), stage.take(stage.dead(), size));
  }
};

TEST_F(ThreeThreads, refill_flush_and_exit_in_one_bin) {
  expect_passes({.setup = [&] { open(2, 5); },
                 .threads = {[&] {
                               stage.give(one, stage.take(one, Stage::small_item));
                               detach(one);
                             },
                             [&] {
                               stage.give(other, objects[0]);
                               stage.give(other, objects[1]);
                               detach(other);
                             },
                             [&] {
                               stage.give(stage.dead(), objects[2]);
                               stage.give(stage.dead(), objects[3]);
                             }},
                 .check =
                     [&] {
                       stage.give(stage.dead(), objects[4]);
                       stage.finish({one, other});
                     }});
}

// All find their bin empty: one grows it, the others look again.
TEST_F(ThreeThreads, wait_for_commit) {
  std::uint32_t before = 0;
  const auto take = [&] { stage.take(stage.dead(), Stage::small_item); };
  expect_passes({.setup =
                     [&] {
                       open(2, 0);
                       before = stage.memory().commits;
                     },
                 .threads = {take, take, take},
                 .check =
                     [&] {
                       require(stage.memory().commits - before == 3,
                               "book, item map and one chunk were committed once");
                       stage.validate();
                       stage.abandon();
                     }});
}

TEST_F(ThreeThreads, want_the_last_two_items) {
  std::uint32_t served = 0;
  const auto take = [&] {
    served += stage.try_take_into(objects, stage.dead(), Stage::large_item);
  };
  expect_passes({.setup =
                     [&] {
                       open(2, 0);
                       served = 0;
                       objects = stage.take_all(Stage::large_item);
                       stage.give(stage.dead(), objects.back());
                       objects.pop_back();
                       stage.give(stage.dead(), objects.back());
                       objects.pop_back();
                     },
                 .threads = {take, take, take},
                 .check =
                     [&] {
                       require(served == 2, "two items serve two of three threads");
                       stage.give_all(stage.dead(), objects);
                       stage.finish({one, other});
                     }});
}

TEST_F(ThreeThreads, purge_free_and_refill) {
  expect_passes({.setup =
                     [&] {
                       open(2, 6);
                       stage.give(stage.dead(), objects[0]);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] { stage.give(stage.dead(), objects[1]); },
                             [&] { take_and_give(Stage::small_item); }},
                 .check =
                     [&] {
                       for (std::size_t i = 2; i < objects.size(); ++i) {
                         stage.give(stage.dead(), objects[i]);
                       }
                       stage.check_known_zero();
                       stage.finish({one, other});
                     }});
}

TEST_F(ThreeThreads, purge_items_blocks_and_a_run) {
  Stage::Object run;
  expect_passes(
      {.setup =
           [&] {
             open(3, 1);
             run = stage.take(stage.dead(), Stage::segment + 1);
             take_and_give(Stage::small_item);
           },
       .threads = {[&] { stage.allocator().purge(one); }, [&] { stage.give(stage.dead(), run); },
                   [&] { take_and_give(Stage::large_item); }},
       .check =
           [&] {
             stage.give_all(stage.dead(), objects);
             stage.check_known_zero();
             stage.finish({one, other});
           }});
}

// Two free what is left of two regions, the third wants all of it as one run.
TEST_F(ThreeThreads, everything_becomes_one_run) {
  Stage::Object large;
  std::vector<Stage::Object> all;
  const auto take_all = [&] { stage.try_take_into(all, stage.dead(), 2 * Stage::segment); };
  expect_passes({.setup =
                     [&] {
                       open(2, 0);
                       all.clear();
                       objects = {stage.take(stage.dead(), Stage::small_item)};
                       large = stage.take(stage.dead(), Stage::large_item);
                     },
                 .threads = {[&] { stage.give(stage.dead(), objects[0]); },
                             [&] { stage.give(stage.dead(), large); }, take_all},
                 .check =
                     [&] {
                       stage.give_all(stage.dead(), all);
                       stage.finish({one, other});
                     }});
}

// The fork comes while one thread grows a bin and another ends.
TEST_F(ThreeThreads, fork_beside_growth_and_exit) {
  bool is_child = false;
  expect_passes({.setup = [&] { open(2, 2); },
                 .threads = {[&] {
                               stage.allocator().fork_prepare();
                               is_child = scheduler().choose(2) == 1;
                               if (is_child) {
                                 scheduler().become_only_thread();
                                 stage.allocator().fork_child(one);
                               } else {
                                 stage.allocator().fork_parent();
                               }
                               stage.give(one, stage.take(one, Stage::large_item));
                             },
                             [&] { take_and_give(Stage::large_item); },
                             [&] {
                               stage.give_all(other, objects);
                               detach(other);
                             }},
                 .check =
                     [&] {
                       if (is_child) {
                         stage.validate();
                         stage.abandon();
                       } else {
                         stage.finish({one, other});
                       }
                     }});
}

}  // namespace
}  // namespace strata::check
