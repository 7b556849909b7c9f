// Lock ranks and guards. The order is commit, purge, bins by number, segments: a thread only ever
// takes a lock of a higher rank than those it holds. The registry of caches stands before all.
#pragma once

#include <cassert>
#include <cstdint>
#include <utility>

#include "sync/roles.hpp"

namespace strata {

using Rank = std::uint32_t;

namespace rank {
inline constexpr Rank registry = 1;
inline constexpr Rank commit = 2;
inline constexpr Rank purge = 3;
inline constexpr Rank first_bin = 4;  // + bin
inline constexpr Rank segments = first_bin + 320;
inline constexpr Rank count = segments + 1;
}  // namespace rank

// Holds a lock for a scope. The Sync seam may elide locking (a single-threaded process), so a guard
// remembers whether *it* locked, and unlocking follows that, never a flag that may have changed.
//
// Mutex must provide: bool lock(Rank) (false = elided), bool try_lock(Rank, bool& locked),
// void unlock(Rank), and may void give_way(Rank); all zeros is an unlocked one.
template <class Mutex, class Role = role::Any>
class [[nodiscard, clang::scoped_lockable]] Guard {
 public:
  Guard() = default;
  [[clang::acquire_capability(Role::held)]]
  Guard(Mutex& mutex, Rank rank)
      : mutex_(&mutex), rank_(rank), locked_(mutex.lock(rank)) {}
  Guard(Guard&& other) noexcept
      : mutex_(std::exchange(other.mutex_, nullptr)),
        rank_(other.rank_),
        locked_(std::exchange(other.locked_, false)) {}
  Guard& operator=(Guard&& other) noexcept {
    unlock();
    mutex_ = std::exchange(other.mutex_, nullptr);
    rank_ = other.rank_;
    locked_ = std::exchange(other.locked_, false);
    return *this;
  }
  [[clang::release_capability()]]
  ~Guard() {
    unlock();
  }

  // An empty guard if the lock is busy. To the compiler it is never: whoever tries must ask.
  [[clang::acquire_capability(Role::held), clang::no_thread_safety_analysis]]
  static Guard try_lock(Mutex& mutex, Rank rank) {
    Guard guard;
    guard.rank_ = rank;
    bool locked = false;
    if (mutex.try_lock(rank, locked)) {
      guard.mutex_ = &mutex;
      guard.locked_ = locked;
    }
    return guard;
  }
  explicit operator bool() const { return mutex_ != nullptr; }

  // For a system call in between.
  [[clang::release_capability(Role::held), clang::no_thread_safety_analysis]]
  void release() {
    assert(mutex_ != nullptr);
    unlock();
  }
  [[clang::acquire_capability(Role::held), clang::no_thread_safety_analysis]]
  void retake() {
    assert(mutex_ != nullptr && !locked_);
    locked_ = mutex_->lock(rank_);
  }

  // Between two parts of long work: others have the lock in between. An unfair mutex has to see to
  // that, or whoever releases and retakes at once is first every time.
  [[clang::requires_capability(Role::held), clang::no_thread_safety_analysis]]
  void give_way() {
    if constexpr (requires { mutex_->give_way(rank_); }) {
      if (locked_) {
        mutex_->give_way(rank_);
      }
    } else {
      release();
      retake();
    }
  }

 private:
  void unlock() {
    if (std::exchange(locked_, false)) {
      mutex_->unlock(rank_);
    }
  }

  Mutex* mutex_ = nullptr;
  Rank rank_ = 0;
  bool locked_ = false;
};

}  // namespace strata
