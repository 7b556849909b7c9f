// Threads that fill their magazines from a bin while others give items back to it or to another.
//
// Modelled: two or three threads with magazines of their own, or none; one region and several;
// items that go from thread to thread, with plain data in them; the books' own plain data. Left
// out: more than three threads, magazines of more than three items, refused commits (commit.cpp).
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Refill : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects;

  void open(std::uint32_t segments) {
    stage.open(segments);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
  }
  // One thread takes an item, all are in use; the other gives back all those of `regions`.
  void expect_passes_beside_regions_given_back(std::uint32_t regions) {
    Stage::Object taken;
    expect_passes({.setup =
                       [&] {
                         open(3);
                         objects = stage.take_many(stage.dead(), Stage::small_item,
                                                   regions * Stage::small_items_per_region);
                       },
                   .threads = {[&] { taken = stage.take(stage.dead(), Stage::small_item); },
                               [&] { stage.give_all(stage.dead(), objects); }},
                   .check =
                       [&] {
                         stage.give(stage.dead(), taken);
                         stage.finish({one, other});
                       }});
  }
};

TEST_F(Refill, against_flush_of_the_same_bin) {
  expect_passes({.setup =
                     [&] {
                       open(2);
                       objects = stage.take_many(other, Stage::small_item, 5);
                     },
                 .threads = {[&] {
                               const auto mine = stage.take_many(one, Stage::small_item, 3);
                               stage.give_all(one, mine);
                             },
                             [&] { stage.give_all(other, objects); }},
                 .check = [&] { stage.finish({one, other}); }});
}

// The flush closes a region, the third of its bin; the refill opens one.
TEST_F(Refill, against_flush_of_another_bin) {
  expect_passes(
      {.setup =
           [&] {
             open(3);
             const auto kept = stage.take_many(stage.dead(), Stage::small_item,
                                               2 * Stage::small_items_per_region);
             objects = stage.take_many(stage.dead(), Stage::small_item, 3);
             stage.give_all(stage.dead(), kept);
           },
       .threads = {[&] { stage.give_all(one, stage.take_many(one, Stage::large_item, 2)); },
                   [&] {
                     stage.give_all(other, objects);
                     stage.allocator().detach(other);
                     other = stage.dead();
                   }},
       .check = [&] { stage.finish({one, other}); }});
}

// While one thread opens a region, the other gives back so many items that the bin has a whole one
// again.
TEST_F(Refill, against_a_region_that_comes_back) { expect_passes_beside_regions_given_back(2); }

// The bin that one thread wants to grow gives up a region meanwhile.
TEST_F(Refill, against_a_region_that_dies_in_the_same_bin) {
  expect_passes_beside_regions_given_back(3);
}

TEST_F(Refill, against_refill_of_the_same_bin) {
  std::vector<Stage::Object> first, second;
  expect_passes({.setup = [&] { open(2); },
                 .threads = {[&] { first = stage.take_many(one, Stage::small_item, 3); },
                             [&] { second = stage.take_many(other, Stage::small_item, 3); }},
                 .check =
                     [&] {
                       stage.give_all(one, second);
                       stage.give_all(other, first);
                       stage.finish({one, other});
                     }});
}

// Without magazines every item goes through the bin, and straight to the next thread.
TEST_F(Refill, of_three_threads_without_magazines) {
  const auto work = [&] { stage.give(stage.dead(), stage.take(stage.dead(), Stage::small_item)); };
  expect_passes({.setup = [&] { stage.open(2); },
                 .threads = {work, work, work},
                 .check = [&] { stage.finish({}); }});
}

}  // namespace
}  // namespace strata::check
