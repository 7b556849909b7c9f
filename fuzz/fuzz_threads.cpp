// Three threads on one heap, on the deterministic scheduler: the operations are the input's, and so
// is the schedule, with more preemptions than a search of all of them could afford.
//
// Thread 3's operations come first and make objects that the others then free; `choices` are the
// bytes that pick the schedule. Plain data races, deadlocks and broken books are found as by the
// search of interleavings.

#include <array>

#include "props/interleave/stage.hpp"
#include "props/support/operation.hpp"
#include "props/support/scheduler.hpp"
#include "props/support/violation.hpp"

namespace {

using namespace strata;
using namespace strata::check;

constexpr std::uint8_t workers = 3;
constexpr Bounds bounds = {.preemptions = 200, .stale_reads = 50, .steps = 200'000};

// One thread's operations, on objects of its own.
class Worker {
 public:
  void begin(Stage& stage, const std::vector<Operation>& operations) {
    stage_ = &stage;
    operations_ = &operations;
    objects_.clear();
    cache_ = Stage::dead();
  }
  void add(const Stage::Object& object) { objects_.push_back(object); }

  void run() {
    for (const Operation& op : *operations_) {
      execute(op);
    }
  }
  void end() {
    stage_->give_all(cache_, objects_);
    detach();
  }

  std::vector<Stage::Object>& objects() { return objects_; }

 private:
  void execute(const Operation& op) {
    switch (op.kind) {
      case Kind::allocate:
      case Kind::allocate_aligned:
      case Kind::allocate_known: {
        const Stage::Object object = stage_->try_take(cache_, op.size % (2 * Stage::segment) + 1);
        if (object.address != 0) {
          objects_.push_back(object);
        }
        return;
      }
      case Kind::deallocate:
      case Kind::resize:
        return give(op.k);
      case Kind::purge:
        return stage_->allocator().purge(cache_);
      case Kind::attach:
        if (cache_ == Stage::dead()) {
          cache_ = stage_->allocator().attach();
        }
        return;
      case Kind::detach:
        return detach();
      default:
        return;
    }
  }
  void give(std::uint64_t k) {
    if (!objects_.empty()) {
      const std::size_t at = k % objects_.size();
      const Stage::Object object = objects_[at];
      objects_.erase(objects_.begin() + static_cast<std::ptrdiff_t>(at));
      stage_->give(cache_, object);
    }
  }
  void detach() {
    if (cache_ != Stage::dead()) {
      stage_->allocator().detach(std::exchange(cache_, Stage::dead()));
    }
  }

  Stage* stage_ = nullptr;
  const std::vector<Operation>* operations_ = nullptr;
  std::vector<Stage::Object> objects_;
  Stage::Cache* cache_ = nullptr;
};

void trap_on_failure(const std::string& text) { scheduler().fail(text); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Never destroyed: the scheduler, which stands for their memory, goes before them.
  static Stage& stage = *new Stage;
  static auto& all = *new std::array<Worker, workers + 1>;
  set_violation_handler(trap_on_failure);

  const Program program = decode({data, size});
  std::array<std::vector<Operation>, workers + 1> operations;
  std::vector<std::uint8_t> choices;
  std::uint32_t failures = 0;
  for (const Operation& op : program.operations) {
    if (op.kind == Kind::choices) {
      choices.insert(choices.end(), op.choices.begin(), op.choices.end());
    } else if (op.kind == Kind::fail_memory) {
      failures = (failures + 1) % 4;
    } else {
      operations[op.thread].push_back(op);
    }
  }
  Scenario scenario;
  scenario.setup = [&] {
    stage.open(program.setup.size % 3 + 2);
    for (std::uint8_t t = 0; t <= workers; ++t) {
      all[t].begin(stage, operations[t]);
    }
    all[workers].run();
    std::size_t next = 0;
    for (const Stage::Object& object : all[workers].objects()) {
      all[next++ % workers].add(object);
    }
    all[workers].objects().clear();
    stage.memory().commit_failures = stage.memory().decommit_failures = failures;
  };
  for (std::uint8_t t = 0; t < workers; ++t) {
    scenario.threads.emplace_back([t] { all[t].run(); });
  }
  scenario.check = [&] {
    stage.memory().commit_failures = stage.memory().decommit_failures = 0;
    for (Worker& worker : all) {
      worker.end();
    }
    stage.finish({});
  };
  const Exploration execution = scheduler().pick(scenario, bounds, choices);
  if (!execution.passed()) {
    trap_on_violation(execution.failure + "\nschedule " + execution.schedule + "\n" +
                      to_text(program));
  }
  return 0;
}
