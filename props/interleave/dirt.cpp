// More free dirt than the bound allows: whoever frees gives it back, beside others who do.
//
// Modelled: the purge that a free starts, of blocks, chunks and unused slots; two at once, of which
// one goes without.
// free chunks that one size gives back for the growth of another, while they are wanted.
// Left out: the bound's growth with what is live.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Dirt : public testing::Test {
 protected:
  Stage stage;
  std::vector<Stage::Object> blocks;
  static constexpr std::uint32_t segments = 4;
  static constexpr std::uint32_t blocks_max =
      segments * static_cast<std::uint32_t>(Stage::segment / Stage::small_block);

  std::uint64_t dirty_bytes() { return stage.allocator().heap().dirty_bytes(); }
  // All blocks are in use but for as many as may be dirty.
  void open() {
    stage.open(segments);
    blocks = stage.take_many(stage.dead(), Stage::small_block, blocks_max);
    while (dirty_bytes() + Stage::small_block <= Stage::Heap::dirty_bytes_max) {
      stage.give(stage.dead(), blocks.back());
      blocks.pop_back();
    }
  }
  void finish() {
    require(stage.memory().decommits > 0, "dirt over the bound went back");
    require(dirty_bytes() <= Stage::Heap::dirty_bytes_max, "no more than the bound is dirty");
    stage.give_all(stage.dead(), blocks);
    stage.check_known_zero();
    stage.finish({});
  }
  void give(std::size_t first, std::size_t count) {
    for (std::size_t i = first; i < first + count; ++i) {
      stage.give(stage.dead(), blocks[i]);
    }
  }
};

TEST_F(Dirt, of_two_threads_that_free) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { give(0, 1); }, [&] { give(1, 1); }},
                 .check =
                     [&] {
                       blocks.erase(blocks.begin(), blocks.begin() + 2);
                       finish();
                     }});
}

// The purger holds two blocks in an unused slot when one more comes back; another wants all that
// was free, and waits.
TEST_F(Dirt, hides_nothing_from_another) {
  std::uint32_t free = 0;
  std::vector<Stage::Object> taken;
  expect_passes(
      {.setup =
           [&] {
             open();
             free = blocks_max - static_cast<std::uint32_t>(blocks.size());
           },
       .threads = {[&] { give(0, 1); },
                   [&] { taken = stage.take_many(stage.dead(), Stage::small_block, free); }},
       .check =
           [&] {
             stage.give_all(stage.dead(), taken);
             blocks.erase(blocks.begin(), blocks.begin() + 1);
             stage.give_all(stage.dead(), blocks);
             stage.check_known_zero();
             stage.finish({});
           }},
      {.stale_reads = 0});
}

TEST_F(Dirt, beside_allocation) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { give(0, 2); },
                             [&] {
                               const Stage::Object taken =
                                   stage.take(stage.dead(), Stage::small_block);
                               stage.give(stage.dead(), taken);
                             }},
                 .check =
                     [&] {
                       blocks.erase(blocks.begin(), blocks.begin() + 2);
                       finish();
                     }});
}

// A chunk of each region is free and dirty, and one of them stays the bin's: the others are more
// than a quarter of the bound. What another size grows by, they give back.
class DirtOfItems : public Dirt {
 protected:
  static constexpr std::uint32_t regions = 5, a_chunk = StagePlan::items_per_chunk_max;
  std::vector<Stage::Object> items, taken, large;

  void open() {
    stage.open(3);
    items.clear();
    taken.clear();
    const auto all =
        stage.take_many(stage.dead(), Stage::small_item, regions * Stage::small_items_per_region);
    for (std::uint32_t i = 0; i < all.size(); ++i) {
      if (i / a_chunk % StagePlan::chunks_per_region == 0) {
        stage.give(stage.dead(), all[i]);
      } else {
        items.push_back(all[i]);
      }
    }
    require(dirty_bytes() == (regions - 1) * StagePlan::chunk_bytes, "the free chunks are dirty");
  }
  void grow() { large = stage.take_many(stage.dead(), Stage::large_item, 1); }
  void finish() {
    require(stage.memory().decommits > 0 || dirty_bytes() <= Stage::Heap::dirty_bytes_max / 4,
            "growth was paid for, or taken items left no need");
    for (const auto& objects : {items, taken, large}) {
      stage.give_all(stage.dead(), objects);
    }
    stage.check_known_zero();
    stage.finish({});
  }
};

TEST_F(DirtOfItems, pays_for_growth_beside_refill) {
  expect_passes(
      {.setup = [&] { open(); },
       .threads = {[&] { grow(); },
                   [&] { taken = stage.take_many(stage.dead(), Stage::small_item, a_chunk + 1); }},
       .check = [&] { finish(); }});
}

TEST_F(DirtOfItems, pays_for_growth_beside_a_purge) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { grow(); }, [&] { stage.allocator().purge(stage.dead()); }},
                 .check = [&] { finish(); }});
}

}  // namespace
}  // namespace strata::check
