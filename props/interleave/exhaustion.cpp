// Two threads at once at the end of memory. Law 5: nobody fails while there is something for him.
//
// Modelled: the last items, blocks and regions wanted by two threads; give-back of magazines and of
// empty chunks and regions while others free.
// Left out: what other threads' magazines hold (that is documented as a bound, not as a law), and
// memory that moves from one size to another behind the search's back (a thread that frees one size
// and takes another can hide both from a third).
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Exhaustion : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects;

  void open() {
    stage.open(2);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
  }
  void give_first(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      stage.give(stage.dead(), objects[i]);
    }
    objects.erase(objects.begin(), objects.begin() + static_cast<std::ptrdiff_t>(count));
  }
  void finish() {
    stage.give_all(stage.dead(), objects);
    objects.clear();
    stage.finish({one, other});
  }
};

TEST_F(Exhaustion, two_threads_take_the_last_two_items) {
  const auto take = [&] { objects.push_back(stage.take(stage.dead(), Stage::small_item)); };
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_all(Stage::small_item);
                       give_first(2);
                     },
                 .threads = {take, take},
                 .check = [&] { finish(); }});
}

TEST_F(Exhaustion, one_of_two_threads_takes_the_last_item) {
  std::uint32_t served = 0;
  const auto take = [&] {
    served += stage.try_take_into(objects, stage.dead(), Stage::small_item);
  };
  expect_passes({.setup =
                     [&] {
                       open();
                       served = 0;
                       objects = stage.take_all(Stage::small_item);
                       give_first(1);
                     },
                 .threads = {take, take},
                 .check =
                     [&] {
                       require(served == 1, "one item serves one thread");
                       finish();
                     }});
}

// What is left is in each thread's own magazine, as small items, and each wants a block: only when
// both have given back is there a free region, and one of them finds it.
TEST_F(Exhaustion, magazines_are_given_back_by_both) {
  std::uint32_t served = 0;
  const auto take = [&](Stage::Cache* cache) {
    served += stage.try_take_into(objects, cache, Stage::small_block);
  };
  expect_passes({.setup =
                     [&] {
                       open();
                       served = 0;
                       objects = stage.take_all(Stage::small_item);
                       // The last region's eight items: three in each magazine, two in the bin.
                       for (std::uint32_t i = 0; i < 8; ++i) {
                         stage.give(i < 3 ? one : i < 6 ? other : stage.dead(), objects.back());
                         objects.pop_back();
                       }
                     },
                 .threads = {[&] { take(one); }, [&] { take(other); }},
                 .check =
                     [&] {
                       require(served >= 1, "the second to give back finds a free region");
                       finish();
                     }});
}

// The last slot is in the hands of a thread that may not make it writable: the other waits for it.
// Nobody gives up before he was refused twice himself.
TEST_F(Exhaustion, growth_holds_the_last_slot) {
  std::uint32_t served = 0;
  const auto take = [&] {
    served += stage.try_take_into(objects, stage.dead(), Stage::small_item);
  };
  expect_passes({.setup =
                     [&] {
                       stage.open(1);
                       served = 0;
                       objects = stage.take_many(stage.dead(), Stage::large_item, 4);
                       stage.memory().commit_failures = 2;
                     },
                 .threads = {take, take},
                 .check =
                     [&] {
                       require(served == 2 || (served == 1 && stage.memory().refusals == 2),
                               "{} served, {} refusals", served, stage.memory().refusals);
                       stage.give_all(stage.dead(), objects);
                       stage.finish({});
                     }});
}

// A kept empty chunk and a kept empty region of one size serve another. Two regions, since with so
// few left a block may be given a region of its own.
TEST_F(Exhaustion, what_bins_keep_serves_other_sizes) {
  const auto take = [&] { objects.push_back(stage.take(stage.dead(), Stage::small_block)); };
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_all(Stage::large_item);
                       give_first(2 * StagePlan::chunks_per_region * StagePlan::items_per_chunk(2));
                     },
                 .threads = {take, take},
                 .check = [&] { finish(); }});
}

TEST_F(Exhaustion, against_free) {
  Stage::Object taken;
  expect_passes(
      {.setup =
           [&] {
             open();
             objects = stage.take_all(Stage::small_item);
             give_first(1);
           },
       .threads = {[&] { taken = stage.take(one, Stage::small_item); }, [&] { give_first(4); }},
       .check =
           [&] {
             stage.give(one, taken);
             finish();
           }});
}

// A run needs every slot: the last item of each region comes back from two threads, then one of
// them takes all.
TEST_F(Exhaustion, everything_becomes_one_run) {
  std::uint32_t served = 0;
  const auto work = [&](std::size_t index) {
    stage.give(stage.dead(), objects[index]);
    const Stage::Object all = stage.try_take(stage.dead(), 2 * Stage::segment);
    if (all.address != 0) {
      ++served;
      stage.give(stage.dead(), all);
    }
  };
  expect_passes({.setup =
                     [&] {
                       open();
                       served = 0;
                       objects = {stage.take(stage.dead(), Stage::small_item),
                                  stage.take(stage.dead(), Stage::large_item)};
                     },
                 .threads = {[&] { work(0); }, [&] { work(1); }},
                 .check =
                     [&] {
                       require(served >= 1, "the last to free finds all of it free");
                       objects.clear();
                       finish();
                     }});
}

}  // namespace
}  // namespace strata::check
