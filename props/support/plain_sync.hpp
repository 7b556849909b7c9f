// The Sync seam of checks with one thread: no waiting, but the lock order is checked, and a lock
// that would wait for ever is a violation instead.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "props/support/violation.hpp"
#include "sync/guard.hpp"

namespace strata::check {

// The ranks of the locks that the thread holds, lowest first.
class HeldRanks {
 public:
  bool empty() const { return count_ == 0; }
  Rank highest() const { return empty() ? 0 : ranks_[count_ - 1]; }
  void add(Rank rank) {
    require(count_ < ranks_.size(), "more than {} locks are held", ranks_.size());
    ranks_[count_++] = rank;
  }
  void remove(Rank rank) {
    Rank* const end = ranks_.data() + count_;
    Rank* const found = std::find(ranks_.data(), end, rank);
    std::copy(found + 1, end, found);
    --count_;
  }
  void clear() { count_ = 0; }

 private:
  std::array<Rank, rank::count> ranks_{};
  std::uint32_t count_ = 0;
};

class PlainMutex {
 public:
  bool lock(Rank rank) {
    require(!locked_, "lock of rank {} taken again by its holder", rank);
    require(held().highest() < rank, "lock of rank {} taken while {} is held", rank,
            held().highest());
    locked_ = true;
    held().add(rank);
    return true;
  }

  bool try_lock(Rank rank, bool& locked) {
    locked = !locked_;
    return locked && lock(rank);
  }

  void unlock(Rank rank) {
    require(locked_, "unlock of rank {}, which is not locked", rank);
    locked_ = false;
    held().remove(rank);
  }

  // The ranks that the thread holds; none between operations.
  static HeldRanks& held() {
    static constinit thread_local HeldRanks ranks;
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
