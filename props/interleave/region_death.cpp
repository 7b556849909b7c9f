// A region that dies while others still point into it: a flush read its class byte, and so its bin,
// before it takes the bin's lock.
//
// Modelled: the last items of a region come back from two threads at once; the slot is used again,
// by another class, a block or a run; bad frees of what lies in it.
// Left out: bad frees that fit the books by the time they are seen (these cannot be told from good
// ones), a third thread that takes the slot in between.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class RegionDeath : public testing::Test {
 protected:
  // The first region of small items keeps one, so the bin keeps no other empty one than it must;
  // `dying` are the only items in the second.
  void open(std::uint32_t segments, std::uint32_t dying_items) {
    stage.open(segments);
    std::vector<Stage::Object> all =
        stage.take_many(stage.dead(), Stage::small_item, Stage::small_items_per_region + dying_items);
    dying.assign(all.end() - dying_items, all.end());
    // A third region, empty, is what the bin keeps: one more empty one is closed.
    kept.assign(all.begin(), all.end() - dying_items);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
  }
  void empty_the_first_region() {
    stage.give_all(stage.dead(), kept);
    kept.clear();
  }
  void finish() {
    stage.give_all(stage.dead(), kept);
    stage.finish({one, other});
  }

  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> kept, dying;
};

TEST_F(RegionDeath, two_flushes_give_the_last_items) {
  expect_passes({.setup =
                     [&] {
                       open(2, 8);
                       empty_the_first_region();
                     },
                 .threads = {[&] {
                               for (std::size_t i = 0; i < 4; ++i) {
                                 stage.give(one, dying[i]);
                               }
                             },
                             [&] {
                               for (std::size_t i = 4; i < 8; ++i) {
                                 stage.give(other, dying[i]);
                               }
                             }},
                 .check = [&] { finish(); }},
                {.preemptions = 3});
}

// What one thread frees last, the other takes as something else.
TEST_F(RegionDeath, the_slot_becomes_another_class) {
  expect_passes({.setup =
                     [&] {
                       open(2, 2);
                       empty_the_first_region();
                     },
                 .threads = {[&] {
                               stage.give(stage.dead(), dying[0]);
                               stage.give(stage.dead(), stage.take(stage.dead(), Stage::small_block));
                             },
                             [&] {
                               stage.give(stage.dead(), dying[1]);
                               stage.give(stage.dead(), stage.take(stage.dead(), Stage::large_item));
                             }},
                 .check = [&] { finish(); }});
}

// Freed twice, the second time while the region is given up and becomes one of large items: found
// in every schedule, since no large item starts there, and nothing else suffers.
TEST_F(RegionDeath, a_double_free_into_it_is_reported) {
  expect_passes({.setup =
                     [&] {
                       open(2, 2);
                       empty_the_first_region();
                       stage.give(stage.dead(), dying[1]);
                     },
                 .threads = {[&] {
                               stage.allocator().deallocate(stage.dead(), dying[1].address);
                             },
                             [&] {
                               stage.give(stage.dead(), dying[0]);
                               kept = {stage.take(stage.dead(), Stage::large_item)};
                             }},
                 .check =
                     [&] {
                       require(stage.reports().size() == 1, "the second free is reported");
                       require(stage.reports()[0].address == dying[1].address, "and named");
                       stage.reports().clear();
                       finish();
                     }},
                {.preemptions = 3});
}

// A flush with items of two bins, one of which goes away meanwhile.
TEST_F(RegionDeath, a_flush_of_mixed_bins_meets_it) {
  std::vector<Stage::Object> large;
  expect_passes({.setup =
                     [&] {
                       open(2, 3);
                       empty_the_first_region();
                       large = stage.take_many(stage.dead(), Stage::large_item, 2);
                       stage.give(one, dying[0]);
                       stage.give(one, large[0]);
                       stage.give(one, dying[1]);
                     },
                 .threads = {[&] {
                               stage.allocator().detach(one);
                               one = nullptr;
                             },
                             [&] {
                               stage.give(stage.dead(), dying[2]);
                               stage.give(stage.dead(), large[1]);
                               kept = {stage.take(stage.dead(), Stage::small_block)};
                             }},
                 .check =
                     [&] {
                       stage.give_all(stage.dead(), kept);
                       kept.clear();
                       stage.finish({other});
                     }});
}

}  // namespace
}  // namespace strata::check
