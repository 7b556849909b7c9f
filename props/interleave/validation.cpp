// validate() while others work, as the checked library does: it must find the books whole whenever
// it can take the locks, and must not disturb anyone.
//
// Modelled: validation beside allocation, freeing, purging, growth and the ends of threads.
// Left out: validation of other threads' magazines, which needs them quiet; the other scenarios end
// with that.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Validation : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> mine, others;

  void expect_sound(std::function<void()> beside) {
    expect_passes({.setup =
                       [this] {
                         stage.open(3);
                         one = stage.allocator().attach();
                         other = stage.allocator().attach();
                         mine = stage.take_many(one, Stage::small_item, 2);
                         others = stage.take_many(other, Stage::small_item, 5);
                         // An unused slot that is dirty.
                         stage.give(stage.dead(), stage.take(stage.dead(), Stage::segment + 1));
                       },
                   .threads = {[this] {
                                 stage.give(one, mine[0]);
                                 require(stage.allocator().validate(Quiet::no, one),
                                         "the books are sound at any time");
                               },
                               std::move(beside)},
                   .check =
                       [this] {
                         stage.give(one, mine[1]);
                         stage.finish({one, other});
                       }});
  }
};

TEST_F(Validation, beside_allocate_and_free) {
  expect_sound([&] {
    stage.give_all(other, others);
    stage.give(other, stage.take(other, Stage::large_item));
  });
}

TEST_F(Validation, beside_blocks_and_runs) {
  expect_sound([&] {
    const Stage::Object block = stage.take(other, Stage::small_block);
    stage.give(other, stage.take(other, Stage::segment + 1));
    stage.give(other, block);
    stage.give_all(other, others);
  });
}

TEST_F(Validation, beside_purge) {
  expect_sound([&] {
    stage.give_all(stage.dead(), others);
    stage.allocator().purge(other);
  });
}

// What the checked library asks of each pointer that comes back.
TEST_F(Validation, of_live_items_beside_frees) {
  const auto look_and_give = [this](std::size_t first, std::size_t end) {
    for (; first < end; ++first) {
      require(stage.looks_live(others[first].address), "what its owner holds is live");
      stage.give(stage.dead(), others[first]);
    }
  };
  expect_passes({.setup =
                     [this] {
                       stage.open(2);
                       others = stage.take_many(stage.dead(), Stage::small_item, 6);
                     },
                 .threads = {[=] { look_and_give(0, 3); }, [=] { look_and_give(3, 6); }},
                 .check = [this] { stage.finish({}); }});
}

// A block that growth holds is neither used nor writable.
TEST_F(Validation, beside_growth_of_blocks) {
  expect_sound([&] {
    const auto blocks = stage.take_many(stage.dead(), Stage::small_block, 2);
    stage.give_all(stage.dead(), blocks);
    stage.give_all(other, others);
  });
}

// Bounds are looked up under every lock, and let go of them: without one, this is a race.
TEST_F(Validation, beside_a_look_at_the_bounds) {
  expect_sound([&] {
    (void)stage.allocator().bounds();
    stage.give_all(other, others);
  });
}

// The purge that a miss starts holds the purge lock alone.
TEST_F(Validation, beside_purge_after_the_delay) {
  expect_sound([&] {
    stage.memory().now += 2 * Stage::Heap::purge_delay_ms;
    stage.give_all(stage.dead(), others);
  });
}

TEST_F(Validation, beside_the_end_of_a_thread) {
  expect_sound([&] {
    stage.give_all(other, others);
    stage.allocator().detach(other);
    other = stage.dead();
  });
}

}  // namespace
}  // namespace strata::check
