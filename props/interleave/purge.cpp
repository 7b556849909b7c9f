// Purging while others allocate and free. Dropping a page counts as a write of what anybody has
// touched in it, so a purge of a page in use fails at once.
//
// Modelled: whole chunks, pages inside a sparse chunk, blocks, unused slots; refused purges; the
// delayed purge on a miss; memory that is said to be zero.
// Left out: the bound on dirty bytes, which the tiny heap never reaches.
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Purging : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects;

  void open(std::uint32_t segments = 2) {
    stage.open(segments);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
  }
  void finish() {
    stage.give_all(stage.dead(), objects);
    objects.clear();
    stage.check_known_zero();
    stage.finish({one, other});
  }
  // All memory is used but for four items, and the clock has reached the next purge.
  void expect_used_up_waits_for(std::function<void()> purge, std::uint32_t wanted = 4) {
    expect_passes({.setup =
                       [this] {
                         open();
                         objects = stage.take_all(Stage::small_item);
                         give_some(0, 4);
                         keep_from(4);
                         stage.memory().now += 2 * Stage::Heap::purge_delay_ms;
                       },
                   .threads = {std::move(purge),
                               [=, this] {
                                 stage.give_all(
                                     stage.dead(),
                                     stage.take_many(stage.dead(), Stage::small_item, wanted));
                               }},
                   .check = [this] { finish(); }});
  }
  void give_some(std::size_t from, std::size_t to) {
    for (; from < to; ++from) {
      stage.give(stage.dead(), objects[from]);
    }
  }
  void keep_from(std::size_t from) {
    objects.erase(objects.begin(), objects.begin() + static_cast<std::ptrdiff_t>(from));
  }
};

// Items of a sparse chunk: two on a page.
TEST_F(Purging, against_free_in_a_sparse_chunk) {
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(stage.dead(), Stage::small_item, 8);
                       std::swap(objects[0], objects[7]);
                       give_some(0, 3);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               give_some(3, 5);
                               stage.give(stage.dead(),
                                          stage.take(stage.dead(), Stage::small_item));
                             }},
                 .check =
                     [&] {
                       keep_from(5);
                       finish();
                     }});
}

TEST_F(Purging, against_refill) {
  expect_passes(
      {.setup =
           [&] {
             open();
             objects = stage.take_many(stage.dead(), Stage::small_item, 6);
             give_some(0, 5);
             keep_from(5);
           },
       .threads = {[&] { stage.allocator().purge(one); },
                   [&] { stage.give_all(other, stage.take_many(other, Stage::small_item, 3)); }},
       .check = [&] { finish(); }});
}

// What the purger holds looks used, but exhaustion waits for it: nobody may come away empty.
TEST_F(Purging, never_makes_memory_look_used_up) {
  expect_used_up_waits_for([&] { stage.allocator().purge(one); });
}
TEST_F(Purging, after_the_delay_never_makes_memory_look_used_up) {
  expect_used_up_waits_for([&] {
    stage.give(stage.dead(), objects.back());
    objects.pop_back();
  });
}

// Each may be the one that purges, what the other wants being in his hands.
TEST_F(Purging, after_the_delay_hides_nothing_from_another) {
  expect_used_up_waits_for([&] { objects.push_back(stage.take(stage.dead(), Stage::small_item)); },
                           3);
}

TEST_F(Purging, of_blocks_against_free_and_allocate) {
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(stage.dead(), Stage::small_block, 3);
                       give_some(0, 1);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               give_some(1, 2);
                               stage.give(stage.dead(),
                                          stage.take(stage.dead(), Stage::small_block));
                             }},
                 .check =
                     [&] {
                       keep_from(2);
                       finish();
                     }});
}

// The purger holds one block of a region, all others come back meanwhile, and the bin has an empty
// region already: this one is given up the moment the purger puts its block back.
TEST_F(Purging, of_blocks_in_a_region_that_dies) {
  expect_passes({.setup =
                     [&] {
                       open(3);
                       objects = stage.take_many(stage.dead(), Stage::small_block, 4);
                       std::swap(objects[2], objects[3]);
                       give_some(0, 3);
                       keep_from(3);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               give_some(0, 1);
                               objects.clear();
                             }},
                 .check = [&] { finish(); }});
}

// The same with chunks.
TEST_F(Purging, of_chunks_in_a_region_that_dies) {
  constexpr std::uint32_t chunk = StagePlan::items_per_chunk_max;
  expect_passes({.setup =
                     [&] {
                       open(3);
                       objects = stage.take_many(stage.dead(), Stage::small_item,
                                                 3 * Stage::small_items_per_region);
                       // All but one item of the third region's first chunk.
                       std::swap(objects[objects.size() - 2 * chunk], objects.back());
                       give_some(0, objects.size() - 1);
                       keep_from(objects.size() - 1);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               give_some(0, 1);
                               objects.clear();
                             }},
                 .check = [&] { finish(); }});
}

TEST_F(Purging, of_unused_slots_against_opening_one) {
  expect_passes({.setup =
                     [&] {
                       open();
                       const Stage::Object run = stage.take(stage.dead(), 2 * Stage::segment);
                       stage.give(stage.dead(), run);
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] { objects = stage.take_many(other, Stage::large_item, 2); }},
                 .check = [&] { finish(); }});
}

// A run comes back to the segments while the purger holds a slot of them.
TEST_F(Purging, of_unused_slots_against_free_of_a_run) {
  expect_passes({.setup =
                     [&] {
                       open(3);
                       objects = {stage.take(stage.dead(), Stage::segment + 1)};
                       stage.give(stage.dead(), stage.take(stage.dead(), Stage::segment));
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               give_some(0, 1);
                               objects.clear();
                             }},
                 .check = [&] { finish(); }},
                {.preemptions = 3});
}

// Refused purges leave everything dirty and in place.
TEST_F(Purging, refused_against_free) {
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(stage.dead(), Stage::small_item, 6);
                       // The second chunk is free, the first one used.
                       std::swap(objects[0], objects[4]);
                       std::swap(objects[1], objects[5]);
                       give_some(0, 2);
                       stage.memory().decommit_failures = 2;
                     },
                 .threads = {[&] { stage.allocator().purge(one); }, [&] { give_some(2, 5); }},
                 .check =
                     [&] {
                       keep_from(5);
                       finish();
                     }});
}

TEST_F(Purging, twice_at_once) {
  expect_passes(
      {.setup =
           [&] {
             open();
             objects = stage.take_many(stage.dead(), Stage::small_item, 6);
             give_some(0, 5);
             keep_from(5);
           },
       .threads = {[&] { stage.allocator().purge(one); }, [&] { stage.allocator().purge(other); }},
       .check = [&] { finish(); }});
}

// The delay is over for both threads at their next miss; one of them purges.
TEST_F(Purging, after_the_delay_on_a_miss) {
  expect_passes(
      {.setup =
           [&] {
             open();
             objects = stage.take_many(stage.dead(), Stage::small_item, 5);
             give_some(0, 3);
             keep_from(3);
             stage.memory().now += 2 * Stage::Heap::purge_delay_ms;
           },
       .threads = {[&] { objects.push_back(stage.take(stage.dead(), Stage::small_item)); },
                   [&] { stage.give(stage.dead(), stage.take(stage.dead(), Stage::large_item)); }},
       .check = [&] { finish(); }});
}

// A block that is said to be zero is, whoever purged it or wrote to it before.
TEST_F(Purging, known_zero_is_zero) {
  expect_passes({.setup =
                     [&] {
                       open();
                       objects = stage.take_many(stage.dead(), Stage::small_block, 2);
                       give_some(0, 1);
                       keep_from(1);
                       stage.memory().decommit_failures = 1;
                     },
                 .threads = {[&] { stage.allocator().purge(one); },
                             [&] {
                               const auto block =
                                   stage.allocator().allocate_known(other, Stage::small_block);
                               require(block.address != 0, "a block is free");
                               require(!block.known_zero ||
                                           Stage::has_bytes({block.address, Stage::small_block, 0}),
                                       "known zero is zero");
                               stage.allocator().deallocate(other, block.address);
                             }},
                 .check = [&] { finish(); }},
                {.preemptions = 3});
}

}  // namespace
}  // namespace strata::check
