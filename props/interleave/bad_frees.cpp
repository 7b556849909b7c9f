// Bad frees among good ones: each is reported, and nothing else suffers.
//
// Modelled: double, interior, foreign and too early frees beside allocation, purging and growth; of
// two threads that free the same thing, one is told.
// Left out: what cannot be seen, a bad pointer that fits the books by the time they see it.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class BadFrees : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  std::vector<Stage::Object> objects;
  Stage::Object block;

  // Exactly one bad free is reported, of this address.
  void finish(Address bad) {
    require(stage.reports().size() == 1, "{} reports of one bad free", stage.reports().size());
    require(stage.reports()[0].address == bad, "the bad free is named");
    stage.reports().clear();
    stage.finish({one});
  }
  void open(std::uint32_t items) {
    stage.open(3);
    one = stage.allocator().attach();
    objects = stage.take_many(stage.dead(), Stage::small_item, items);
  }
  void free_unwritten(Address address) { stage.allocator().deallocate(stage.dead(), address); }
};

TEST_F(BadFrees, of_one_item_by_two_threads) {
  const auto twice = [&] { free_unwritten(objects[0].address); };
  expect_passes({.setup = [&] { open(2); },
                 .threads = {twice, twice, [&] { stage.give(stage.dead(), objects[1]); }},
                 .check = [&] { finish(objects[0].address); }});
}

TEST_F(BadFrees, of_one_block_by_two_threads) {
  const auto twice = [&] { free_unwritten(block.address); };
  expect_passes({.setup =
                     [&] {
                       open(0);
                       block = stage.take(stage.dead(), Stage::small_block);
                     },
                 .threads = {twice, twice},
                 .check = [&] { finish(block.address); }},
                {.preemptions = 3});
}

TEST_F(BadFrees, of_one_run_by_two_threads) {
  const auto twice = [&] { free_unwritten(block.address); };
  expect_passes({.setup =
                     [&] {
                       open(0);
                       block = stage.take(stage.dead(), 2 * Stage::segment);
                     },
                 .threads = {twice, twice},
                 .check = [&] { finish(block.address); }},
                {.preemptions = 3});
}

TEST_F(BadFrees, of_an_interior_pointer_beside_the_good_one) {
  const Address inside = 4;
  expect_passes({.setup = [&] { open(3); },
                 .threads = {[&] { free_unwritten(objects[1].address + inside); },
                             [&] {
                               stage.give(one, objects[0]);
                               stage.give(one, objects[1]);
                               stage.give(stage.dead(), objects[2]);
                             }},
                 .check = [&] { finish(objects[1].address + inside); }},
                {.preemptions = 3});
}

// The bad one is in the middle of a magazine; those around it come back.
TEST_F(BadFrees, in_a_flush_beside_allocation) {
  expect_passes(
      {.setup =
           [&] {
             open(3);
             stage.give(one, objects[0]);
             free_unwritten(objects[1].address);
             stage.allocator().deallocate(one, objects[1].address);
             stage.give(one, objects[2]);
           },
       .threads = {[&] {
                     stage.allocator().detach(one);
                     one = stage.dead();
                   },
                   [&] {
                     stage.give(stage.dead(), stage.take(stage.dead(), Stage::large_item));
                     stage.give(stage.dead(), stage.take(stage.dead(), Stage::small_block));
                   }},
       .check = [&] { finish(objects[1].address); }});
}

// Free already, and in a purger's hands as that: it looks used, but is not its caller's.
TEST_F(BadFrees, of_an_item_whose_page_is_purged) {
  expect_passes({.setup =
                     [&] {
                       open(4);
                       stage.give(stage.dead(), objects[0]);
                       stage.give(stage.dead(), objects[1]);
                     },
                 .threads = {[&] { stage.allocator().purge(stage.dead()); },
                             [&] {
                               free_unwritten(objects[0].address);
                               stage.give(stage.dead(), objects[2]);
                             }},
                 .check =
                     [&] {
                       stage.give(stage.dead(), objects[3]);
                       finish(objects[0].address);
                     }},
                {.preemptions = 3});
}

TEST_F(BadFrees, of_a_block_that_is_purged) {
  Stage::Object kept;
  expect_passes({.setup =
                     [&] {
                       open(0);
                       block = stage.take(stage.dead(), Stage::small_block);
                       kept = stage.take(stage.dead(), Stage::small_block);
                       stage.give(stage.dead(), block);
                     },
                 .threads = {[&] { stage.allocator().purge(stage.dead()); },
                             [&] {
                               free_unwritten(block.address);
                               stage.give(stage.dead(), kept);
                             }},
                 .check = [&] { finish(block.address); }},
                {.preemptions = 3});
}

// Of memory that growth is just making writable: held by it, used by nobody.
TEST_F(BadFrees, of_an_item_in_a_chunk_that_growth_holds) {
  // The last item of the next chunk, which a batch of two does not reach.
  const auto untaken = [&] { return objects[0].address + 2 * StagePlan::chunk_bytes - 16; };
  expect_passes({.setup = [&] { open(4); },
                 .threads = {[&] {
                               stage.give(one, stage.take(one, Stage::small_item));
                               stage.give_all(one, objects);
                             },
                             [&] { free_unwritten(untaken()); }},
                 .check = [&] { finish(untaken()); }});
}

}  // namespace
}  // namespace strata::check
