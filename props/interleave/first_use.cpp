// The first calls of a process and of its threads: who opens the allocator, and what the others see
// of it.
//
// Modelled: start-up by whichever thread comes first, while others make their first call; the
// allocator's own fields as plain data; the time before there is an exit key.
// Left out: what the C library does in thread-local storage, in keys and in handlers of fork.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"
#include "sync/start_up.hpp"

namespace strata::check {
namespace {

class FirstUse : public testing::Test {
 protected:
  ~FirstUse() override { plain_memory().unwatch(allocator_bytes()); }

  // What own_cache() of the process malloc does.
  Stage::Cache* first_call() {
    if (start.stage() < StartStage::usable && start.begin([] { scheduler().yield(); })) {
      ++openings;
      require(stage.allocator().open(2), "the heap opens");
      start.reach(StartStage::usable);
      stage.give(stage.dead(), stage.take(stage.dead(), Stage::small_item));
      exit_key.write(1);
      start.reach(StartStage::complete);
    }
    if (start.stage() < StartStage::complete) {
      return stage.dead();
    }
    require(exit_key.read() == 1, "the exit key is there");
    return stage.allocator().attach();
  }
  void work() {
    Stage::Cache* const cache = first_call();
    stage.give_all(cache, stage.take_many(cache, Stage::small_item, 2));
    stage.allocator().detach(cache);
  }
  void look() {
    first_call();
    require(stage.allocator().is_open(), "whoever goes on sees the heap");
  }

  Scenario of_threads(std::size_t count, const std::function<void()>& thread) {
    return {.setup =
                [this] {
                  stage.prepare(2);
                  plain_memory().watch("allocator", allocator_bytes(), sizeof(Stage::Allocator));
                  plain_memory().set_usable(allocator_bytes(), sizeof(Stage::Allocator));
                  start = StartUp<SchedulingSync>{};
                  exit_key.reset(0);
                  openings = 0;
                },
            .threads = {count, thread},
            .check =
                [this] {
                  require(openings == 1, "one thread opens the allocator");
                  stage.finish({});
                }};
  }

  std::byte* allocator_bytes() { return reinterpret_cast<std::byte*>(&stage.allocator()); }

  Stage stage;
  StartUp<SchedulingSync> start;
  Plain<int> exit_key;
  std::uint32_t openings = 0;
};

TEST_F(FirstUse, of_two_threads) {
  expect_passes(of_threads(2, [this] { work(); }));
}

TEST_F(FirstUse, of_three_threads) {
  expect_passes(of_threads(3, [this] { look(); }), {.stale_reads = 1});
}

}  // namespace
}  // namespace strata::check
