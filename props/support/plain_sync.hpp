// The Sync seam of checks with one thread: no waiting, but the lock order is checked, and a lock
// that would wait for ever is a violation instead.
#pragma once

#include <atomic>
#include <vector>

#include "props/support/violation.hpp"
#include "sync/guard.hpp"

namespace strata::check {

class PlainMutex {
 public:
  bool lock(Rank rank) {
    require(!locked_, "lock of rank {} taken again by its holder", rank);
    require(held().empty() || held().back() < rank, "lock of rank {} taken while {} is held", rank,
            held().empty() ? 0 : held().back());
    locked_ = true;
    held().push_back(rank);
    return true;
  }

  bool try_lock(Rank rank, bool& locked) {
    locked = !locked_;
    return locked && lock(rank);
  }

  void unlock(Rank rank) {
    require(locked_, "unlock of rank {}, which is not locked", rank);
    locked_ = false;
    std::erase(held(), rank);
  }

  // The ranks that the thread holds; none between operations.
  static std::vector<Rank>& held() {
    thread_local std::vector<Rank> ranks;
    return ranks;
  }

 private:
  bool locked_;  // no constructor runs: zeroed memory is an unlocked one
};

struct PlainSync {
  using Mutex = PlainMutex;
  template <class T>
  using Atomic = std::atomic<T>;
};

}  // namespace strata::check
