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
  static constexpr std::uint32_t a_segment =
      Plan::regions_per_segment * Stage::small_items_per_region;

  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects, taken;

  // Segments take turns: with three of them, the first thread has two at home, the second one.
  void open(std::uint32_t segments) {
    stage.open(segments);
    require(stage.allocator().heap().shards() == 2, "there are two shards");
    one = stage.allocator().attach();
    other = stage.allocator().attach();
  }
  std::uint64_t segment_of(const Stage::Object& object) {
    return (object.address - stage.allocator().heap().base) / Plan::segment_bytes;
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
                       open(2);
                       objects = stage.take_many(one, Stage::small_item, 5);
                       taken.clear();
                     },
                 .threads = {[&] { taken = stage.take_many(one, Stage::small_item, 3); },
                             [&] {
                               stage.give_all(other, objects);
                               objects.clear();
                             }},
                 .check =
                     [&] {
                       for (const Stage::Object& object : taken) {
                         require(segment_of(object) == 0, "an item is of its thread's shard");
                       }
                       finish();
                     }});
}

// Each grows a bin of its own for the same class, under one commit lock.
TEST_F(Shards, refill_beside_refill) {
  Stage::Object first, second;
  expect_passes({.setup = [&] { open(2); },
                 .threads = {[&] { first = stage.take(one, Stage::small_item); },
                             [&] { second = stage.take(other, Stage::small_item); }},
                 .check =
                     [&] {
                       require(segment_of(first) == 0 && segment_of(second) == 1,
                               "each has a segment of its own");
                       objects = {first, second};
                       taken.clear();
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
                       open(2);
                       served = 0;
                       taken.clear();
                       objects = stage.take_all(Stage::small_item);
                       require(objects.size() == 2 * a_segment, "all items are in use");
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

// A free of the sibling's last item of a region lets that slot go, while the other looks for one.
TEST_F(Shards, a_region_dies_beside_one_that_opens) {
  expect_passes({.setup =
                     [&] {
                       open(3);
                       taken.clear();
                       objects = stage.take_many(one, Stage::small_item, 2 * a_segment);
                       for (const Stage::Object& object : objects) {
                         require(segment_of(object) != 1, "home comes first");
                       }
                     },
                 .threads = {[&] {
                               for (std::uint32_t i = 0; i < a_segment; ++i) {
                                 stage.give(stage.dead(), objects.back());
                                 objects.pop_back();
                               }
                             },
                             [&] { taken = stage.take_many(other, Stage::large_item, 5); }},
                 .check = [&] { finish(); }});
}

// Taking every lock, of all shards, beside a thread that has those of the second.
TEST_F(Shards, validation_beside_refill_and_flush) {
  expect_passes(
      {.setup =
           [&] {
             open(2);
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
