// Locks that are skipped while the process has one thread: the steps to two threads and back.
//
// Modelled: a thread that starts and joins others; the child of a fork, which has one thread again;
// a guard that is held across the step.
// Left out: a signal handler that starts a thread inside the allocator.
#include <gtest/gtest.h>

#include "props/interleave/stage.hpp"

namespace strata::check {
namespace {

class Elision : public testing::Test {
 protected:
  Stage stage;
  std::vector<Stage::Object> mine;

  // The first thread starts the others.
  Scenario of(std::vector<std::function<void()>> threads) {
    return {.setup =
                [this] {
                  stage.open(2);
                  mine = {};
                },
            .threads = std::move(threads),
            .check = [this] { stage.finish({}); },
            .begin_at_once = 1,
            .may_elide = true};
  }
  void work(Stage::Cache* cache, std::uint64_t size) {
    stage.give_all(cache, stage.take_many(cache, size, 2));
  }
  // A thread from its first call to its last.
  void live() {
    Stage::Cache* const cache = stage.allocator().attach();
    work(cache, Stage::small_item);
    stage.allocator().detach(cache);
  }
};

TEST_F(Elision, ends_when_a_second_thread_starts) {
  expect_passes(of({[&] {
                      mine = stage.take_many(stage.dead(), Stage::small_item, 3);
                      scheduler().start(1);
                      stage.give_all(stage.dead(), mine);
                      work(stage.dead(), Stage::large_item);
                    },
                    [&] { live(); }}),
                {.preemptions = 3});
}

// What the one took before the other began, the other frees.
TEST_F(Elision, hands_items_to_the_thread_that_starts) {
  expect_passes(of({[&] {
                      mine = stage.take_many(stage.dead(), Stage::small_item, 5);
                      scheduler().start(1);
                      work(stage.dead(), Stage::small_item);
                    },
                    [&] {
                      stage.give_all(stage.dead(), mine);
                      work(stage.dead(), Stage::small_block);
                    }}));
}

TEST_F(Elision, begins_again_when_the_last_is_joined) {
  expect_passes(of({[&] {
                      scheduler().start(1);
                      work(stage.dead(), Stage::small_item);
                      scheduler().join(1);
                      work(stage.dead(), Stage::large_item);
                      scheduler().start(2);
                      work(stage.dead(), Stage::small_item);
                      scheduler().join(2);
                      work(stage.dead(), Stage::small_block);
                    },
                    [&] { live(); }, [&] { live(); }}));
}

TEST_F(Elision, of_three_threads) {
  expect_passes(of({[&] {
                      work(stage.dead(), Stage::small_item);
                      scheduler().start(1);
                      work(stage.dead(), Stage::small_item);
                    },
                    [&] {
                      scheduler().start(2);
                      live();
                    },
                    [&] { live(); }}));
}

// The parent has threads and the child has one, which then starts another: the locks that were
// taken as a process of many threads are open there.
TEST_F(Elision, begins_in_the_child_of_a_fork) {
  bool is_child = false;
  Scenario scenario = of({[&] {
                            Stage::Cache* const cache = stage.allocator().attach();
                            scheduler().start(1);
                            stage.allocator().fork_prepare();
                            is_child = scheduler().choose(2) == 1;
                            if (is_child) {
                              scheduler().become_only_thread();
                              stage.allocator().fork_child(cache);
                            } else {
                              stage.allocator().fork_parent();
                            }
                            work(cache, Stage::small_item);
                            scheduler().start(2);
                            work(cache, Stage::large_item);
                            stage.allocator().detach(cache);
                          },
                          [&] { live(); }, [&] { work(stage.dead(), Stage::small_item); }});
  scenario.check = [&] {
    // What the vanished thread had is lost in the child.
    is_child ? stage.abandon() : stage.finish({});
  };
  expect_passes(scenario);
}

// No thread starts inside the allocator. If one did, the guard would still undo what it did, and
// nothing else.
template <class Mutex>
class HeldAcrossTheStep : public testing::Test {
 protected:
  void expect_undoes_what_it_did() {
    const auto write = [this] {
      const Guard guard(mutex, rank::commit);
      data.write(data.read() + 1);
    };
    expect_passes({.setup =
                       [this] {
                         mutex = Mutex{};
                         data.reset(0);
                       },
                   .threads = {[=, this] {
                                 {
                                   const Guard guard(mutex, rank::commit);
                                   data.write(1);
                                   scheduler().start(1);
                                   scheduler().start(2);
                                 }
                                 write();
                               },
                               write, write},
                   .check = [this] { require(data.read() == 4, "an update was lost"); },
                   .begin_at_once = 1,
                   .may_elide = true},
                  {.preemptions = 3});
  }
  Mutex mutex;
  Plain<int> data;
};

using HeldGuard = HeldAcrossTheStep<SchedulingSync::Mutex>;
using HeldShippedMutex = HeldAcrossTheStep<FutexMutex<ScheduledKernel>>;
TEST_F(HeldGuard, undoes_what_it_did) { expect_undoes_what_it_did(); }
TEST_F(HeldShippedMutex, undoes_what_it_did) { expect_undoes_what_it_did(); }

}  // namespace
}  // namespace strata::check
