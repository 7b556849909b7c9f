// The commit lock: two threads find their bin empty at once, and only one of them may grow it.
//
// Modelled: fresh regions, longer prefixes, refused commits (which of the calls is refused is a
// choice of the search), blocks and runs that need a region at the same time.
// Left out: commits refused for good, which the fuzzer and the exhaustive search script.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Commit : public testing::Test {
 protected:
  Stage stage;
  std::vector<Stage::Object> first, second, objects, others;

  // Two threads that each take `count` objects of a size without a magazine, then give them back.
  Scenario take_at_once(std::uint64_t size, std::uint64_t other_size, std::uint32_t count,
                        std::uint32_t refused = 0) {
    const auto take = [this, count](std::uint64_t bytes) {
      stage.give_all(stage.dead(), stage.take_many(stage.dead(), bytes, count));
    };
    return {.setup =
                [this, refused] {
                  stage.open(3);
                  stage.memory().commit_failures = refused;
                },
            .threads = {[=] { take(size); }, [=] { take(other_size); }},
            .check = [this] { stage.finish({}); }};
  }
};

// Whoever waited looks at its bin again: the four items of the first chunk serve both.
TEST_F(Commit, waited_for_by_two_threads_is_made_once) {
  std::uint32_t before = 0;
  const auto take = [&](std::vector<Stage::Object>& into) {
    into = stage.take_many(stage.dead(), Stage::small_item, 2);
  };
  expect_passes({.setup =
                     [&] {
                       stage.open(2);
                       before = stage.memory().commits;
                     },
                 .threads = {[&] { take(first); }, [&] { take(second); }},
                 .check =
                     [&] {
                       require(stage.memory().commits - before == 3,
                               "book, item map and one chunk were committed once");
                       stage.give_all(stage.dead(), first);
                       stage.give_all(stage.dead(), second);
                       stage.finish({});
                     }},
                {.preemptions = 3});
}

// The second chunk of the first region, and the second region.
TEST_F(Commit, longer_prefixes_and_next_regions) {
  expect_passes({.setup =
                     [&] {
                       stage.open(2);
                       first = stage.take_many(stage.dead(), Stage::small_item, 3);
                     },
                 .threads = {[&] { second = stage.take_many(stage.dead(), Stage::small_item, 3); },
                             [&] {
                               stage.give_all(stage.dead(),
                                              stage.take_many(stage.dead(), Stage::small_item, 3));
                             }},
                 .check =
                     [&] {
                       stage.give_all(stage.dead(), first);
                       stage.give_all(stage.dead(), second);
                       stage.finish({});
                     }});
}

// The region's second block is made writable while its first comes back.
TEST_F(Commit, a_longer_prefix_of_blocks_against_free) {
  Stage::Object block;
  expect_passes({.setup =
                     [&] {
                       stage.open(2);
                       block = stage.take(stage.dead(), Stage::small_block);
                     },
                 .threads = {[&] { first = {stage.take(stage.dead(), Stage::small_block)}; },
                             [&] { stage.give(stage.dead(), block); }},
                 .check =
                     [&] {
                       stage.give_all(stage.dead(), first);
                       stage.finish({});
                     }},
                {.preemptions = 3});
}

TEST_F(Commit, of_two_bins) {
  expect_passes(take_at_once(Stage::small_item, Stage::large_item, 2));
}

TEST_F(Commit, of_items_and_blocks) {
  expect_passes(take_at_once(Stage::large_item, Stage::small_block, 1));
}

TEST_F(Commit, of_blocks_and_a_run) {
  expect_passes(take_at_once(Stage::small_block, Stage::segment + 1, 1));
}

// Both are served even so: a refusal changes nothing, and the last attempt finds the system
// willing.
TEST_F(Commit, refused_once) {
  expect_passes(take_at_once(Stage::small_item, Stage::small_item, 1, 1));
}

// The last attempt makes the second chunk writable, while another thread does.
TEST_F(Commit, refused_once_of_a_longer_prefix) {
  const auto take = [&](std::vector<Stage::Object>& into) {
    into = {stage.take(stage.dead(), Stage::large_item)};
  };
  expect_passes({.setup =
                     [&] {
                       stage.open(1);
                       objects = stage.take_many(stage.dead(), Stage::large_item, 2);
                       others = stage.take_many(stage.dead(), Stage::small_item, 1);
                       stage.memory().commit_failures = 1;
                     },
                 .threads = {[&] { take(first); }, [&] { take(second); }},
                 .check =
                     [&] {
                       for (const auto& taken : {objects, others, first, second}) {
                         stage.give_all(stage.dead(), taken);
                       }
                       stage.finish({});
                     }});
}

TEST_F(Commit, refused_once_for_another_bin) {
  expect_passes(take_at_once(Stage::large_item, Stage::small_block, 1, 1));
}

}  // namespace
}  // namespace strata::check
