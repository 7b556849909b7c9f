// Blocks and runs, which no magazine holds: every call goes to their bins and segments.
//
// Modelled: runs and blocks that turn into each other; runs that grow where they are; their size
// looked up, and their end given back, while others come and go.
// Left out: runs that are refused (commit.cpp), more than four segments.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class BlocksAndRuns : public testing::Test {
 protected:
  Stage stage;
  Stage::Object first, second;
  std::vector<Stage::Object> taken;

  void take_if_any(std::uint64_t size) {
    const Stage::Object object = stage.try_take(stage.dead(), size);
    if (object.address != 0) {
      taken.push_back(object);
    }
  }
  void finish() {
    stage.give_all(stage.dead(), taken);
    taken.clear();
    stage.check_known_zero();
    stage.finish({});
  }
  void expect_sound(std::uint32_t segments, const std::function<void()>& setup,
                    std::vector<std::function<void()>> threads, const Bounds& bounds = {}) {
    expect_passes({.setup =
                       [=, this] {
                         stage.open(segments);
                         taken.clear();
                         setup();
                       },
                   .threads = std::move(threads),
                   .check = [this] { finish(); }},
                  bounds);
  }
};

// Each needs two of the three segments: there is room for one at a time.
TEST_F(BlocksAndRuns, two_runs_in_the_place_of_one) {
  std::uint32_t served = 0;
  const auto work = [&] {
    const Stage::Object run = stage.try_take(stage.dead(), Stage::segment + 1);
    if (run.address != 0) {
      ++served;
      stage.give(stage.dead(), run);
    }
    require(served > 0, "there was room for one of two");
  };
  expect_sound(3, [&] { served = 0; }, {work, work});
}

TEST_F(BlocksAndRuns, a_run_becomes_blocks_and_items) {
  expect_sound(2, [&] { first = stage.take(stage.dead(), 2 * Stage::segment); },
               {[&] {
                  stage.give(stage.dead(), first);
                  taken.push_back(stage.take(stage.dead(), Stage::small_item));
                },
                [&] { take_if_any(Stage::small_block); }},
               {.preemptions = 3});
}

TEST_F(BlocksAndRuns, blocks_become_a_run) {
  expect_sound(2,
               [&] {
                 first = stage.take(stage.dead(), Stage::small_block);
                 second = stage.take(stage.dead(), Stage::small_block);
               },
               {[&] { stage.give(stage.dead(), first); },
                [&] {
                  stage.give(stage.dead(), second);
                  take_if_any(2 * Stage::segment);
                }},
               {.preemptions = 3});
}

// Blocks of one bin, given back and taken by three threads at once.
TEST_F(BlocksAndRuns, blocks_of_one_bin) {
  expect_sound(3,
               [&] {
                 first = stage.take(stage.dead(), Stage::small_block);
                 second = stage.take(stage.dead(), Stage::small_block);
               },
               {[&] { stage.give(stage.dead(), first); }, [&] { stage.give(stage.dead(), second); },
                [&] { taken.push_back(stage.take(stage.dead(), Stage::small_block)); }});
}

// Whose run it is reads its length, while the one beside it goes and another comes; and that one's,
// as a program may that gives realloc a bad pointer.
TEST_F(BlocksAndRuns, a_size_is_looked_up_beside_runs_that_come_and_go) {
  expect_sound(4,
               [&] {
                 first = stage.take(stage.dead(), Stage::segment + 1);
                 second = stage.take(stage.dead(), Stage::segment + 1);
               },
               {[&] {
                  const std::uint64_t usable = stage.allocator().usable_bytes(first.address);
                  require(usable == Stage::segment + StagePlan::chunk_bytes,
                          "a run keeps its length");
                  // Not his: any answer will do, but it is read in order with what others do.
                  (void)stage.allocator().usable_bytes(second.address);
                  stage.give(stage.dead(), first);
                },
                [&] {
                  stage.give(stage.dead(), second);
                  take_if_any(Stage::segment + 1);
                }},
               {.preemptions = 3});
}

// realloc grows a run to the end of its last segment where it is, while the other's length is
// looked up (his, as above) and a third run comes.
TEST_F(BlocksAndRuns, a_run_grows_where_it_is) {
  expect_sound(4, [&] { first = stage.take(stage.dead(), Stage::segment + 1); },
               {[&] {
                  require(stage.allocator().resize_in_place(first.address, 2 * Stage::segment),
                          "a run grows within its segments");
                  require(stage.allocator().usable_bytes(first.address) == 2 * Stage::segment,
                          "and has the length that it grew to");
                  stage.give(stage.dead(), first);
                },
                [&] {
                  (void)stage.allocator().usable_bytes(first.address);
                  take_if_any(Stage::segment + 1);
                }});
}

// Two runs grow at once.
TEST_F(BlocksAndRuns, two_runs_grow_where_they_are) {
  const auto grow = [&](Stage::Object& run) {
    require(stage.allocator().resize_in_place(run.address, 2 * Stage::segment),
            "a run grows within its segments");
    stage.give(stage.dead(), run);
  };
  expect_sound(4,
               [&] {
                 first = stage.take(stage.dead(), Stage::segment + 1);
                 second = stage.take(stage.dead(), Stage::segment + 1);
               },
               {[&] { grow(first); }, [&] { grow(second); }});
}

// realloc shrinks a block where it is and gives the pages behind it back, beside a purge.
TEST_F(BlocksAndRuns, a_block_shrinks_beside_a_purge) {
  expect_sound(2, [&] { first = stage.take(stage.dead(), Stage::segment); },
               {[&] {
                  require(stage.allocator().resize_in_place(first.address, Stage::small_block),
                          "a block shrinks where it is");
                  first.size = Stage::small_block;
                  stage.give(stage.dead(), first);
                },
                [&] {
                  stage.allocator().purge(stage.dead());
                  take_if_any(Stage::small_block);
                }});
}

}  // namespace
}  // namespace strata::check
