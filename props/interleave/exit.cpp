// Threads that end while others free what they allocated, and threads that begin.
//
// Modelled: detach against free, flush, attach (which may take the slot over), detach and a purge
// of the slots that are free; the dead cache as the last resort. Left out: what the C library does
// around a thread's end; thread keys.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Exit : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> objects;

  void open() {
    stage.open(2);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
    objects = stage.take_many(one, Stage::small_item, 5);
  }
  void detach(Stage::Cache*& cache) {
    stage.allocator().detach(cache);
    cache = stage.dead();
  }
};

// The one's magazine holds items that lie among those which the other frees.
TEST_F(Exit, against_free) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] { detach(one); }, [&] { stage.give_all(other, objects); }},
                 .check = [&] { stage.finish({one, other}); }},
                {.preemptions = 3});
}

TEST_F(Exit, against_exit) {
  expect_passes({.setup =
                     [&] {
                       open();
                       stage.give(other, objects[0]);
                       stage.give(other, objects[1]);
                       stage.give(one, objects[2]);
                       stage.give_all(stage.dead(), {objects[3], objects[4]});
                     },
                 .threads = {[&] { detach(one); }, [&] { detach(other); }},
                 .check = [&] { stage.finish({one, other}); }},
                {.preemptions = 3});
}

// The new thread may be given the slot that the old one leaves.
TEST_F(Exit, against_a_beginning_thread) {
  Stage::Cache* third = nullptr;
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] {
                               stage.give(one, objects[0]);
                               detach(one);
                             },
                             [&] {
                               third = stage.allocator().attach();
                               require(third != stage.dead(), "there is a slot for a third cache");
                               for (std::size_t i = 1; i < objects.size(); ++i) {
                                 stage.give(third, objects[i]);
                               }
                             }},
                 .check = [&] { stage.finish({one, other, third}); }});
}

// Frees after a thread's end go to the bins.
TEST_F(Exit, and_late_frees_through_the_dead_cache) {
  expect_passes({.setup = [&] { open(); },
                 .threads = {[&] {
                               detach(one);
                               stage.give(one, objects[0]);
                               stage.give(one, stage.take(one, Stage::large_item));
                             },
                             [&] {
                               stage.give(other, objects[1]);
                               stage.give(other, objects[2]);
                               stage.give(other, stage.take(other, Stage::small_item));
                             }},
                 .check =
                     [&] {
                       stage.give_all(stage.dead(), {objects[3], objects[4]});
                       stage.finish({one, other});
                     }});
}

// A purge gives back the pages of caches that nobody has: of the one that ends, or not yet.
TEST_F(Exit, beside_a_purge_and_a_beginning_thread) {
  Stage::Cache* third = nullptr;
  expect_passes({.setup =
                     [&] {
                       open();
                       stage.give_all(stage.dead(), objects);
                     },
                 .threads = {[&] {
                               detach(one);
                               third = stage.allocator().attach();
                               stage.give(third, stage.take(third, Stage::small_item));
                             },
                             [&] { stage.allocator().purge(other); }},
                 .check = [&] { stage.finish({other, third}); }});
}

// Four slots, and the fifth thread does without.
TEST_F(Exit, of_the_last_slot_against_attach) {
  std::array<Stage::Cache*, 2> rest{};
  Stage::Cache* fifth = nullptr;
  expect_passes({.setup =
                     [&] {
                       open();
                       rest = {stage.allocator().attach(), stage.allocator().attach()};
                       stage.give_all(stage.dead(), objects);
                     },
                 .threads = {[&] { detach(one); },
                             [&] {
                               fifth = stage.allocator().attach();
                               stage.give(fifth, stage.take(fifth, Stage::small_item));
                             }},
                 .check = [&] { stage.finish({other, rest[0], rest[1], fifth}); }},
                {.preemptions = 3});
}

}  // namespace
}  // namespace strata::check
