// Something that is set up once, by whichever thread comes first, and in stages: of those that come
// meanwhile, each waits for the stage that it needs. All zeros is "not yet".
#pragma once

#include <atomic>
#include <cstdint>

namespace strata {

enum class StartStage : std::uint32_t { not_yet, under_way, usable, complete };

template <class Sync>
class StartUp {
 public:
  // True for the thread that has to do it, and then says how far it is; false once another has made
  // it usable. `yield()` lets that one go on.
  template <class Yield>
  bool begin(Yield yield) {
    auto expected = StartStage::not_yet;
    // Relaxed: who is first has nothing to read, and the others look again below.
    if (stage_.compare_exchange_strong(expected, StartStage::under_way, std::memory_order_relaxed,
                                       std::memory_order_relaxed)) {
      return true;
    }
    while (stage() < StartStage::usable) {
      yield();
    }
    return false;
  }

  // Release: pairs with the acquire in stage(), for all that was done before.
  void reach(StartStage stage) { stage_.store(stage, std::memory_order_release); }
  StartStage stage() const { return stage_.load(std::memory_order_acquire); }

 private:
  typename Sync::template Atomic<StartStage> stage_{StartStage::not_yet};
};

}  // namespace strata
