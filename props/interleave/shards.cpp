// Threads that take from shards of their own, and from each other's.
//
// Modelled: two threads in two shards; what is freed away from home while its own shard refills;
// the last units of a sibling wanted by both; slots that one shard gives back and the other opens.
// Left out: more than two shards.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

using Plan = ShardedStagePlan;

class Shards : public testing::Test {
 protected:
  using Stage = ShardedStage;
  // Items of the slots that one segment has for a shard.
  static constexpr std::uint32_t a_half = Plan::slots_per_turn * Stage::small_items_per_region;

  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects, taken;

  void open() {
    stage.open(1);
    require(stage.allocator().heap().shards() == 2, "there are two shards");
    one = stage.allocator().attach();
    other = stage.allocator().attach();
    taken.clear();
  }
  plan::Shard shard_of(const Stage::Object& object) {
    const auto& heap = stage.allocator().heap();
    return heap.shard_of_slot(Plan::slot_of(object.address - heap.base));
  }
  void finish() {
    stage.give_all(stage.dead(), objects);
    stage.give_all(stage.dead(), taken);
    stage.finish({one, other});
  }
};

TEST_F(Shards, refill_beside_what_comes_home) {
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(one, Stage::small_item, 5);
                     },
                 .threads = {[&] { taken = stage.take_many(one, Stage::small_item, 3); },
                             [&] {
                               stage.give_all(other, objects);
                               objects.clear();
                             }},
                 .check =
                     [&] {
                       for (const Stage::Object& object : taken) {
                         require(shard_of(object) == 0, "an item is of its thread's shard");
                       }
                       finish();
                     }});
}

// Who comes first opens a region at home; the other has one of its own, or what that one has ready.
TEST_F(Shards, refill_beside_refill) {
  Stage::Object first, second;
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { first = stage.take(one, Stage::small_item); },
                             [&] { second = stage.take(other, Stage::small_item); }},
                 .check =
                     [&] {
                       require(shard_of(first) == 0 || shard_of(second) == 1,
                               "who opens a region does so at home");
                       objects = {first, second};
                       finish();
                     }});
}

// All that is free is in one shard, and there is no slot for another region.
TEST_F(Shards, both_want_the_last_items_of_one) {
  std::uint32_t served = 0;
  const auto take = [&](Stage::Cache* cache) {
    served += stage.try_take_into(taken, cache, Stage::small_item);
  };
  expect_passes({.setup =
                     [&] {
                       open();
                       served = 0;
                       objects = stage.take_all(Stage::small_item);
                       require(objects.size() == 2 * a_half, "all items are in use");
                       stage.give(stage.dead(), objects.back());
                       objects.pop_back();
                     },
                 .threads = {[&] { take(one); }, [&] { take(other); }},
                 .check =
                     [&] {
                       require(served == 1, "one item serves one of two threads");
                       finish();
                     }});
}

// All slots are in use. One that the first shard gives up with its last item serves the second,
// which had none left.
TEST_F(Shards, a_region_dies_beside_one_that_opens) {
  std::vector<Stage::Object> others;
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(one, Stage::small_item, a_half);
                       others = stage.take_many(other, Stage::small_item, a_half);
                       // All but one item of each region.
                       stage.give_all(stage.dead(), {objects.begin() + 1, objects.end() - 1});
                       objects = {objects.front(), objects.back()};
                     },
                 .threads = {[&] {
                               stage.give_all(stage.dead(), objects);
                               objects.clear();
                             },
                             [&] { (void)stage.try_take_into(taken, other, Stage::large_item); }},
                 .check =
                     [&] {
                       require(taken.empty() || shard_of(taken[0]) == 0, "a slot was given up");
                       stage.give_all(stage.dead(), others);
                       finish();
                     }});
}

// Taking every lock, of all shards, beside a thread that has those of the second.
TEST_F(Shards, validation_beside_refill_and_flush) {
  expect_passes(
      {.setup =
           [&] {
             open();
             taken.clear();
             objects = stage.take_many(other, Stage::small_item, 4);
           },
       .threads = {[&] { require(stage.allocator().validate(Quiet::no, one), "sound between"); },
                   [&] {
                     stage.give_all(other, objects);
                     objects = stage.take_many(other, Stage::small_item, 1);
                   }},
       .check = [&] { finish(); }});
}

}  // namespace
}  // namespace strata::check
