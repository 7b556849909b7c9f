// fork while others are inside the allocator: parent and child both go on.
//
// Modelled: the three handlers; the child as the same memory with one thread (the others are never
// heard of again, wherever they were); allocation, freeing, purging, beginning and ending threads
// beside the fork.
// Left out: the copy of the address space itself (parent and child are two executions), signals,
// _Fork and raw clone.
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Fork : public testing::Test {
 protected:
  Stage stage;
  Stage::Cache* one = nullptr;
  Stage::Cache* other = nullptr;
  std::vector<Stage::Object> mine, others;
  bool is_child = false;

  void open() {
    stage.open(3);
    one = stage.allocator().attach();
    other = stage.allocator().attach();
    mine = stage.take_many(one, Stage::small_item, 2);
    others = stage.take_many(other, Stage::small_item, 5);
    is_child = false;
  }

  // Forks and goes on as the parent or as the child, which it is being a choice of the search.
  void fork() {
    stage.allocator().fork_prepare();
    is_child = scheduler().choose(2) == 1;
    if (is_child) {
      scheduler().become_only_thread();
      stage.allocator().fork_child(one);
      stage.validate();
    } else {
      stage.allocator().fork_parent();
    }
    // Whatever it was, it can allocate and free.
    stage.give_all(one, mine);
    stage.give(one, stage.take(one, Stage::large_item));
    stage.give(one, stage.take(one, Stage::small_block));
    if (is_child) {
      begin_threads();
    }
  }

  // The slots of vanished threads are free again: of four, all but the survivor's.
  void begin_threads() {
    std::array<Stage::Cache*, 3> caches{};
    for (Stage::Cache*& cache : caches) {
      cache = stage.allocator().attach();
      require(cache != stage.dead(), "a thread that begins in the child has a cache");
    }
    for (Stage::Cache* const cache : caches) {
      stage.allocator().detach(cache);
    }
  }

  // What the vanished thread held is lost in the child: only the books can be checked there.
  void finish() {
    if (is_child) {
      stage.validate();
      stage.allocator().purge(one);
      stage.validate();
      stage.abandon();
    } else {
      stage.finish({one, other});
    }
  }

  void expect_fork_passes(std::function<void()> beside) {
    expect_passes({.setup = [this] { open(); },
                   .threads = {[this] { fork(); }, std::move(beside)},
                   .check = [this] { finish(); }});
  }
};

TEST_F(Fork, against_allocate_and_free) {
  expect_fork_passes([&] {
    stage.give_all(other, others);
    stage.give(other, stage.take(other, Stage::small_item));
  });
}

TEST_F(Fork, against_growth) {
  expect_fork_passes([&] {
    const Stage::Object block = stage.take(other, Stage::small_block);
    stage.give_all(other, others);
    stage.give(other, block);
  });
}

// It holds no lock while the system makes its end usable.
TEST_F(Fork, against_a_run_that_grows) {
  expect_fork_passes([&] {
    // None, if the forking thread's magazines hold what it would need.
    const Stage::Object run = stage.try_take(other, Stage::segment + 1);
    if (run.address != 0) {
      require(stage.allocator().resize_in_place(run.address, 2 * Stage::segment),
              "a run grows within its segments");
      stage.give(other, run);
    }
    stage.give_all(other, others);
  });
}

TEST_F(Fork, against_purge) {
  expect_fork_passes([&] {
    stage.give_all(other, others);
    stage.allocator().purge(other);
  });
}

TEST_F(Fork, against_an_ending_thread) {
  expect_fork_passes([&] {
    stage.give_all(other, others);
    stage.allocator().detach(other);
    other = stage.dead();
  });
}

TEST_F(Fork, against_a_beginning_thread) {
  expect_fork_passes([&] {
    Stage::Cache* const third = stage.allocator().attach();
    stage.give_all(third, others);
    stage.allocator().detach(third);
  });
}

}  // namespace
}  // namespace strata::check
