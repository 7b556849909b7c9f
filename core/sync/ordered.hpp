// A Sync seam that checks the lock order: every lock taken has a higher rank than those its thread
// holds. For checked builds of the process's heap; elides only in a thread that has every lock.
#pragma once

#include <array>

#include "sync/native.hpp"

namespace strata {

// `Violation` is callable as Violation::out_of_order(Rank taken, Rank held).
template <class Violation>
class OrderedMutex {
 public:
  bool lock(Rank rank) {
    if (holds_every_lock) {
      return false;
    }
    held().enter(rank);
    return base_.lock(rank);
  }
  bool try_lock(Rank rank, bool& locked) {
    locked = false;
    if (holds_every_lock) {
      return true;
    }
    if (!base_.try_lock(rank, locked)) {
      return false;
    }
    held().enter(rank);
    return true;
  }
  void unlock(Rank rank) {
    held().leave(rank);
    base_.unlock(rank);
  }
  void give_way(Rank rank) { base_.give_way(rank); }

 private:
  // Ranks that this thread holds, ascending. All of them fit.
  class Held {
   public:
    void enter(Rank rank) {
      if (count_ > 0 && ranks_[count_ - 1] >= rank) {
        Violation::out_of_order(rank, ranks_[count_ - 1]);
      }
      if (count_ < ranks_.size()) {
        ranks_[count_++] = static_cast<std::uint16_t>(rank);
      }
    }
    void leave(Rank rank) {
      std::uint32_t at = count_;
      while (at > 0 && ranks_[at - 1] != rank) {
        --at;
      }
      if (at == 0) {
        Violation::out_of_order(rank, 0);  // not held at all
        return;
      }
      for (; at < count_; ++at) {
        ranks_[at - 1] = ranks_[at];
      }
      --count_;
    }

   private:
    std::array<std::uint16_t, rank::count> ranks_;  // small: it is in every thread's memory
    std::uint32_t count_;
  };

  static Held& held() {
    static constinit thread_local Held held{};
    return held;
  }

  FutexMutex<Kernel<false>> base_;
};

template <class Violation>
struct OrderedSync {
  using Mutex = OrderedMutex<Violation>;
  template <class T>
  using Atomic = std::atomic<T>;
};

}  // namespace strata
