// The shipped Sync seam: std::atomic, and a three-state futex mutex of four bytes.
#pragma once

#include <atomic>
#include <cstdint>

#include "sync/guard.hpp"

namespace strata {

// Words of the kernel's futex; in native.cpp so that no system header is included here.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected);
void futex_wake_one(std::atomic<std::uint32_t>& word);
void pause_briefly();
// Sleeps for about 100 us: longer than a thread takes to wake up.
void rest_briefly();
// True while the process has one thread and glibc says so; false where it cannot be known.
bool process_is_single_threaded();

// True in a thread while it holds every lock of the process's heap, which is from one handler of
// fork to the next: what other handlers allocate in between takes none.
extern constinit thread_local bool holds_every_lock
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

// What the mutex asks of the system. `Elide` skips locking while the process has a single thread:
// only for the process's own heap, which no other process can reach.
template <bool Elide>
struct Kernel {
  using Word = std::atomic<std::uint32_t>;
  static constexpr int spins = 100;  // 1 to 5 us: most critical sections are shorter

  static bool may_elide() { return Elide && (process_is_single_threaded() || holds_every_lock); }
  static void wait(Word& word, std::uint32_t expected) { futex_wait(word, expected); }
  static void wake_one(Word& word) { futex_wake_one(word); }
  static void pause() { pause_briefly(); }
  static void rest() { rest_briefly(); }
};

// Unfair, not recursive. `System` is a Kernel, or the scheduler of the checks.
//
// Whatever takes the word does so with acquire, which pairs with the release of put(): the holder
// sees all that those before it did. Loads and failed exchanges are relaxed, as they only decide
// whether to try again.
template <class System>
class FutexMutex {
 public:
  bool lock(Rank) {
    if (System::may_elide()) {
      return false;
    }
    take();
    return true;
  }

  bool try_lock(Rank, bool& locked) {
    locked = !System::may_elide();
    if (!locked) {
      return true;
    }
    std::uint32_t expected = free;
    return word_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }

  void unlock(Rank) { put(); }

  // Unlocks and locks. One that sleeps has it in between, if it wakes up in time.
  void give_way(Rank) {
    if (put()) {
      System::rest();  // not on the word: there it would take a wake-up that is another's
    }
    take();
  }

 private:
  static constexpr std::uint32_t free = 0;
  static constexpr std::uint32_t held = 1;
  static constexpr std::uint32_t waited_for = 2;

  void take() {
    std::uint32_t expected = free;
    if (!word_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                       std::memory_order_relaxed)) {
      take_contended();
    }
  }

  // Whether somebody was woken.
  bool put() {
    // Release: pairs with the acquires of the next holder.
    const bool is_waited_for = word_.exchange(free, std::memory_order_release) == waited_for;
    if (is_waited_for) {
      System::wake_one(word_);
    }
    return is_waited_for;
  }

  [[gnu::noinline]]
  void take_contended() {
    for (int spin = 0; spin < System::spins; ++spin) {
      std::uint32_t expected = free;
      if (word_.load(std::memory_order_relaxed) == free &&
          word_.compare_exchange_strong(expected, held, std::memory_order_acquire,
                                        std::memory_order_relaxed)) {
        return;
      }
      System::pause();
    }
    // Whoever slept takes the lock as waited_for, since others may sleep still.
    while (word_.exchange(waited_for, std::memory_order_acquire) != free) {
      System::wait(word_, waited_for);
    }
  }

  typename System::Word word_{free};
};

// Sync for heaps shared by threads; and for malloc's own heap, which may elide.
template <bool Elide>
struct NativeSync {
  using Mutex = FutexMutex<Kernel<Elide>>;
  template <class T>
  using Atomic = std::atomic<T>;
};

}  // namespace strata
