// The shipped locks by themselves: the futex mutex, guards, and the mutex that checks the order of
// locks.
#include <gtest/gtest.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <thread>
#include <utility>
#include <vector>

#include "sync/native.hpp"
#include "sync/ordered.hpp"

namespace strata::check {
namespace {

// Comes first: here there is one thread, unless a sanitizer has one of its own.
TEST(FutexMutex, IsElidedWhileThereIsOneThread) {
  const bool one_thread = __libc_single_threaded != 0;
  EXPECT_EQ(process_is_single_threaded(), one_thread);
  NativeSync<true>::Mutex eliding;
  bool locked = !one_thread;
  for (int i = 0; i < (one_thread ? 2 : 0); ++i) {
    EXPECT_FALSE(eliding.lock(1)) << "nothing is held";
    EXPECT_TRUE(eliding.try_lock(1, locked));
    EXPECT_FALSE(locked);
    locked = true;
  }
  NativeSync<false>::Mutex always;
  EXPECT_TRUE(always.lock(1));
  EXPECT_FALSE(always.try_lock(1, locked));
  always.unlock(1);
  EXPECT_TRUE(always.try_lock(1, locked));
  EXPECT_TRUE(locked);
  always.unlock(1);
  std::thread([&] {
    EXPECT_FALSE(process_is_single_threaded());
    EXPECT_TRUE(eliding.lock(1));
    EXPECT_FALSE(eliding.try_lock(1, locked));
    eliding.unlock(1);
  }).join();
}

TEST(FutexMutex, ExcludesAndWakesEveryWaiter) {
  alarm(20);  // a waiter that nobody wakes ends the test
  NativeSync<false>::Mutex mutex;
  std::uint64_t plain = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3000; ++round) {
        mutex.lock(1);
        const std::uint64_t before = plain;
        if (round % 1000 == 0) {  // longer than the others spin
          std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
        plain = before + 1;
        mutex.unlock(1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(plain, 12'000U);
  bool locked = false;
  EXPECT_TRUE(mutex.try_lock(1, locked)) << "nobody holds it";
  alarm(0);
}

TEST(FutexMutex, WhoeverFindsItHeldIsToldOrSleepsUntilItIsFree) {
  NativeSync<false>::Mutex mutex;
  bool locked = false;
  ASSERT_TRUE(mutex.try_lock(1, locked));
  EXPECT_TRUE(locked);
  EXPECT_FALSE(mutex.try_lock(1, locked));
  std::atomic<bool> got{false};
  std::chrono::nanoseconds busy{0};
  std::thread other([&] {
    mutex.lock(1);
    got = true;
    mutex.unlock(1);
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    busy = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  });
  constexpr std::chrono::milliseconds held{60};
  std::this_thread::sleep_for(held);
  EXPECT_FALSE(got);
  mutex.unlock(1);
  other.join();
  EXPECT_TRUE(got);
  EXPECT_LT(busy, held / 2) << "it sleeps";
}

TEST(Futex, KeepsErrnoAndSleepsOnlyOnTheExpectedValue) {
  std::atomic<std::uint32_t> word{1};
  errno = 77;
  futex_wait(word, 2);  // at once: the word has changed
  EXPECT_EQ(errno, 77);
  futex_wake_one(word);
  EXPECT_EQ(errno, 77);
}

TEST(Futex, SleepsUntilItIsWoken) {
  std::atomic<std::uint32_t> word{1};
  std::atomic<bool> woken{false};
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    woken = true;
    word = 0;  // whoever comes too late to be woken does not sleep
    futex_wake_one(word);
  });
  futex_wait(word, 1);
  EXPECT_TRUE(woken);
  waker.join();
}

// A system in which a rest is as long as the sleeper takes.
struct PatientSystem {
  using Word = std::atomic<std::uint32_t>;
  static constexpr int spins = 1;

  static bool may_elide() { return false; }
  static void wait(Word& word, std::uint32_t expected) {
    is_asleep = true;
    word.wait(expected);
  }
  static void wake_one(Word& word) { word.notify_one(); }
  static void pause() {}
  static void rest() { turns.wait(0); }

  static inline std::atomic<bool> is_asleep = false;
  static inline std::atomic<int> turns = 0;
};

TEST(FutexMutex, WhoeverSleepsHasItWhenWayIsGiven) {
  alarm(20);  // a rest with the lock held would not end
  FutexMutex<PatientSystem> mutex;
  bool locked = false;
  Guard guard(mutex, 1);
  guard.give_way();  // to nobody: no rest
  EXPECT_FALSE(mutex.try_lock(1, locked)) << "it is held again";
  std::thread sleeper([&] {
    const Guard other(mutex, 1);
    ++PatientSystem::turns;
    PatientSystem::turns.notify_one();
  });
  while (!PatientSystem::is_asleep) {
    std::this_thread::yield();
  }
  EXPECT_EQ(PatientSystem::turns, 0);
  guard.give_way();
  EXPECT_EQ(PatientSystem::turns, 1);
  EXPECT_FALSE(mutex.try_lock(1, locked)) << "it is held again";
  sleeper.join();
  alarm(0);
}

TEST(Futex, ARestIsShortAndKeepsErrno) {
  errno = 77;
  const auto start = std::chrono::steady_clock::now();
  rest_briefly();
  EXPECT_EQ(errno, 77);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::microseconds(50));
}

// --- Guards --------------------------------------------------------------------------------------

struct CountingMutex {
  bool lock(Rank rank) {
    ++locks;
    last = rank;
    return !elided;
  }
  bool try_lock(Rank rank, bool& locked) {
    locked = !busy && lock(rank);
    return !busy;
  }
  void unlock(Rank rank) {
    EXPECT_EQ(rank, last);
    ++unlocks;
  }
  bool elided = false, busy = false;
  int locks = 0, unlocks = 0;
  Rank last = 0;
};

// Guards are moved about, which the compiler does not follow.
[[clang::no_thread_safety_analysis]]
void unlocks_once_what_it_locked() {
  CountingMutex a, b;
  {
    Guard<CountingMutex> guard(a, 5);
    EXPECT_TRUE(guard);
    EXPECT_EQ(a.locks, 1);
    Guard<CountingMutex> moved(std::move(guard));
    EXPECT_EQ(a.unlocks, 0);
    moved = Guard<CountingMutex>(b, 6);
    EXPECT_EQ(a.unlocks, 1) << "what it held is let go first";
    EXPECT_EQ(b.unlocks, 0);
    moved.release();
    EXPECT_EQ(b.unlocks, 1);
    moved.retake();
    EXPECT_EQ(b.locks, 2);
  }
  EXPECT_EQ(a.unlocks, 1);
  EXPECT_EQ(b.unlocks, 2);
  {
    const Guard<CountingMutex> none;
  }
}
TEST(Guard, UnlocksOnceWhatItLocked) { unlocks_once_what_it_locked(); }

[[clang::no_thread_safety_analysis]]
void remembers_that_it_was_elided() {
  CountingMutex mutex;
  mutex.elided = true;
  {
    Guard<CountingMutex> guard(mutex, 5);
    EXPECT_TRUE(guard);
    mutex.elided = false;  // a second thread starts
    Guard<CountingMutex> moved;
    moved = std::move(guard);
  }
  EXPECT_EQ(mutex.unlocks, 0);
}
TEST(Guard, RemembersThatItWasElided) { remembers_that_it_was_elided(); }

TEST(Guard, OfABusyLockIsEmpty) {
  CountingMutex mutex;
  mutex.busy = true;
  EXPECT_FALSE(Guard<CountingMutex>::try_lock(mutex, 5));
  EXPECT_EQ(mutex.unlocks, 0);
  mutex.busy = false;
  EXPECT_TRUE(Guard<CountingMutex>::try_lock(mutex, 5));
  EXPECT_EQ(mutex.unlocks, 1);
}

// --- The order of locks --------------------------------------------------------------------------

struct Remembering {
  static void out_of_order(Rank taken, Rank held) { seen.emplace_back(taken, held); }
  static inline std::vector<std::pair<Rank, Rank>> seen;
};
using Violations = std::vector<std::pair<Rank, Rank>>;

TEST(OrderedMutex, SaysWhatIsOutOfOrder) {
  OrderedMutex<Remembering> a, b, c;
  Remembering::seen.clear();
  EXPECT_TRUE(a.lock(3));
  EXPECT_TRUE(b.lock(5));
  EXPECT_TRUE(Remembering::seen.empty());
  EXPECT_TRUE(c.lock(4));
  EXPECT_EQ(Remembering::seen, (Violations{{4, 5}}));
  c.unlock(4);
  EXPECT_TRUE(c.lock(5));
  EXPECT_EQ(Remembering::seen, (Violations{{4, 5}, {5, 5}})) << "nor two of one rank";
  c.unlock(5);
  a.unlock(3);  // in any order
  EXPECT_TRUE(c.lock(6));
  b.unlock(5);
  c.unlock(6);
  EXPECT_TRUE(a.lock(1));
  a.unlock(1);
  EXPECT_EQ(Remembering::seen.size(), 2U);
  bool locked = false;
  EXPECT_TRUE(b.lock(7));
  EXPECT_FALSE(b.try_lock(7, locked));
  EXPECT_EQ(Remembering::seen.size(), 2U) << "what was not taken is not held";
  EXPECT_TRUE(a.try_lock(6, locked));
  EXPECT_EQ(Remembering::seen.back(), (std::pair<Rank, Rank>{6, 7}));
  a.unlock(6);
  b.unlock(7);
  b.lock(8);
  b.unlock(9);
  EXPECT_EQ(Remembering::seen.back(), (std::pair<Rank, Rank>{9, 0})) << "it was not held at all";
  b.unlock(8);  // what this thread holds outlives the test
}

// What a handler of fork allocates while its thread has every lock.
TEST(OrderedMutex, OfAThreadThatHasEveryLockIsNotTaken) {
  OrderedMutex<Remembering> mutex;
  Remembering::seen.clear();
  mutex.lock(9);
  holds_every_lock = true;
  bool locked = true;
  EXPECT_FALSE(mutex.lock(2));
  EXPECT_TRUE(mutex.try_lock(9, locked));
  EXPECT_FALSE(locked);
  holds_every_lock = false;
  mutex.unlock(9);
  EXPECT_TRUE(Remembering::seen.empty());
}

TEST(OrderedMutex, GivesWayAndHasItAgain) {
  alarm(20);  // if nobody else ever has it
  OrderedMutex<Remembering> mutex;
  Remembering::seen.clear();
  Guard guard(mutex, 7);
  std::atomic<bool> had_it = false;
  std::thread other([&] {
    const Guard theirs(mutex, 7);
    had_it = true;
  });
  while (!had_it) {
    guard.give_way();
  }
  bool locked = false;
  EXPECT_FALSE(mutex.try_lock(7, locked)) << "it is held again";
  OrderedMutex<Remembering> lower;
  lower.lock(6);
  EXPECT_EQ(Remembering::seen, (Violations{{6, 7}})) << "and known to be";
  lower.unlock(6);
  other.join();
  alarm(0);
}

TEST(OrderedMutex, OfOtherThreadsIsTheirs) {
  OrderedMutex<Remembering> high, low;
  Remembering::seen.clear();
  high.lock(9);
  std::thread([&] {
    low.lock(2);
    low.unlock(2);
  }).join();
  high.unlock(9);
  EXPECT_TRUE(Remembering::seen.empty());
}

}  // namespace
}  // namespace strata::check
