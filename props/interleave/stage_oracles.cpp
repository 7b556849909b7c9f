// The stage itself: each thing that it asks of the heap, asked of one that somebody has tampered
// with. Else a scenario could pass because nobody looks.
//
// Modelled: one thread, which does what no caller may. Left out: races, which litmus_races.cpp has.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class StageOracles : public testing::Test {
 protected:
  // What the thread does between the taking of an item and of a block and the stage's last look.
  Scenario of(std::function<void()> thread, std::function<void()> check) {
    return {.setup =
                [this] {
                  stage.open(2);
                  item = stage.take(stage.dead(), Stage::small_item);
                  block = stage.take(stage.dead(), Stage::small_block);
                },
            .threads = {std::move(thread)},
            .check = std::move(check)};
  }
  Scenario finished(std::function<void()> thread) {
    return of(std::move(thread), [this] {
      stage.give_all(stage.dead(), {item, block});
      stage.check_known_zero();
      stage.finish({});
    });
  }
  static void flip(Address address) { *reinterpret_cast<std::uint8_t*>(address) ^= 1; }

  Stage stage;
  Stage::Object item, block;
};

TEST_F(StageOracles, say_nothing_of_a_sound_heap) {
  expect_passes(finished([] {}));
}

TEST_F(StageOracles, an_object_is_its_owners_from_end_to_end) {
  const char* const said = "is as its owner left it";
  expect_fails(finished([&] { flip(item.address); }), said);
  expect_fails(finished([&] { flip(block.address + block.size - 1); }), said);
  // The two have stamps of their own.
  expect_fails(finished([&] { item.stamp = block.stamp; }), said);
}

TEST_F(StageOracles, what_is_called_zero_is) {
  const auto check = [this] {
    stage.give(stage.dead(), block);
    stage.allocator().purge(stage.dead());
    flip(block.address + block.size - 1);
    stage.check_known_zero();
  };
  expect_fails(of([] {}, check), "known zero is zero");
}

TEST_F(StageOracles, the_books_are_looked_at) {
  // Not by expect_fails: the text has an address, and a second execution has another.
  const Scenario scenario =
      finished([&] { ++stage.allocator().heap().books.of_everything().unused().dirty_slots; });
  const Exploration result = scheduler().explore(scenario, {});
  EXPECT_NE(result.failure.find("dirty unused slots are counted"), std::string::npos);
}

TEST_F(StageOracles, no_bad_free_is_passed_over) {
  expect_fails(finished([&] { stage.allocator().deallocate(stage.dead(), item.address + 1); }),
               "nothing was freed that should not have been");
}

TEST_F(StageOracles, all_comes_back) {
  expect_fails(finished([&] { stage.take(stage.dead(), Stage::small_item); }),
               "all memory can be one run again");
  expect_fails(finished([&] { stage.take(stage.dead(), 3 * Stage::segment); }),
               "bytes are free, yet there was nothing to allocate");
}

}  // namespace
}  // namespace strata::check
