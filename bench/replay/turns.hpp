// Keeps the threads of a replay together: no step is done more than `window` steps of the trace
// ahead of the earliest that is not done. 0: exactly in the recorded order.
#pragma once

#include <algorithm>
#include <atomic>
#include <thread>

#include "bench/replay/script.hpp"

namespace strata::bench {

class Turns {
 public:
  Turns(Script& script, std::uint32_t window) : next_(script.threads()), window_(window) {
    for (unsigned thread = 0; thread < script.threads(); ++thread) {
      const auto steps = script.steps_of(thread);
      next_[thread].index = steps.empty() ? finished : steps.front().index;
    }
  }

  // How far each thread may go now; it can only rise.
  std::uint64_t limit() const {
    std::uint64_t earliest = finished;
    for (unsigned thread = 0; thread < next_.size(); ++thread) {
      earliest =
          std::min<std::uint64_t>(earliest, next_[thread].index.load(std::memory_order_acquire));
    }
    return earliest + window_;
  }
  void reached(unsigned thread, std::uint32_t index) {
    next_[thread].index.store(index, std::memory_order_release);
  }
  void finish(unsigned thread) { next_[thread].index.store(finished, std::memory_order_release); }

 private:
  static constexpr std::uint32_t finished = UINT32_MAX;
  struct alignas(64) Next {
    std::atomic<std::uint32_t> index;
  };

  Mapped<Next> next_;
  std::uint64_t window_;
};

}  // namespace strata::bench
