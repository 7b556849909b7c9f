// libstrata-checked.so's own objects, linked: what it fills, checks and says.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cassert>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "abi/process.hpp"
#include "include/strata/strata.h"

namespace strata {
namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib;

bool all(const volatile unsigned char* bytes, std::size_t count, unsigned char value) {
  for (std::size_t i = 0; i < count; ++i) {
    if (bytes[i] != value) {
      return false;
    }
  }
  return true;
}

TEST(Checked, FillsItemsThatAreHandedOutAndWhatIsFreed) {
  auto* const item = static_cast<unsigned char*>(std::malloc(100));
  EXPECT_TRUE(all(item, 100, 0xA5));
  std::free(item);
  EXPECT_TRUE(all(item, 100, 0x5A));
  auto* const block = static_cast<unsigned char*>(std::malloc(3 * mib));
  std::free(block);
  EXPECT_EQ(block[0], 0x5A) << "the first page of it";
  void* const run = std::malloc(2048 * mib);
  EXPECT_NE(run, nullptr);
  std::free(run);
  EXPECT_EQ(strata_validate(), 1);
}

TEST(Checked, ACallocIsZeroInSpiteOfTheFill) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{500}, 70 * kib}) {
    auto* const zeroed = static_cast<unsigned char*>(std::calloc(1, size));
    EXPECT_TRUE(all(zeroed, size, 0)) << size;
    std::memset(zeroed, 7, size);
    std::free(zeroed);
  }
}

TEST(CheckedDeathTest, WhatIsWrongIsNamed) {
  GTEST_FLAG_SET(death_test_style, "fast");
  char* volatile block = static_cast<char*>(std::malloc(3 * mib));
  EXPECT_DEATH(std::free(block + 64 * kib), "not the start of an allocation");
  EXPECT_DEATH(
      {
        std::free(block);
        std::free(block);
      },
      "strata: ");
  EXPECT_DEATH(
      {
        auto& control = process_allocator().heap().books.control();
        control.live_bytes.fetch_add(16, std::memory_order_relaxed);
        strata_validate();
      },
      "book-keeping is inconsistent: live_bytes counts what is used");
  std::free(block);
}

// --- Double frees of items: seen at once, not when the item leaves its magazine ------------------

constexpr std::size_t item_sizes[] = {1, 16, 100, 1000, 6000, 32 * kib};

std::string freed_twice(void* p) {
  char text[64];
  std::snprintf(text, sizeof text, "^strata: free of something already free: %p ", p);
  return text;
}

void free_twice(void* p) {
  std::free(p);
  std::free(p);
}

// The other thread is there before the first free, so that nothing is allocated between the two.
void free_in_two_threads(void* p, bool is_other_first) {
  std::atomic<int> turn{is_other_first ? 1 : 0};
  std::thread other([&] {
    while (turn != 1) {
      std::this_thread::yield();
    }
    std::free(p);
    turn = 2;
  });
  if (!is_other_first) {
    std::free(p);
    turn = 1;
  }
  while (turn != 2) {
    std::this_thread::yield();
  }
  if (is_other_first) {
    std::free(p);
  }
  other.join();
}

// Runs what must not come back: an end without a report is no death.
template <class Free>
void and_exit(Free free) {
  free();
  _exit(0);
}

TEST(CheckedDeathTest, ADoubleFreeOfAnItemIsSeenAtOnce) {
  GTEST_FLAG_SET(death_test_style, "fast");
  for (const std::size_t size : item_sizes) {
    void* volatile p = std::malloc(size);
    EXPECT_DEATH(and_exit([&] { free_twice(p); }), freed_twice(p)) << size;
    EXPECT_DEATH(and_exit([&] { free_in_two_threads(p, false); }), freed_twice(p)) << size;
    EXPECT_DEATH(and_exit([&] { free_in_two_threads(p, true); }), freed_twice(p)) << size;
    std::free(p);
  }
}

TEST(CheckedDeathTest, ADoubleFreeIsSeenAfterOtherFrees) {
  GTEST_FLAG_SET(death_test_style, "fast");
  for (const std::size_t size : item_sizes) {
    for (const std::size_t others : {std::size_t{1}, std::size_t{30}, std::size_t{2000}}) {
      std::vector<void*> live(others);
      void* volatile p = std::malloc(size);
      for (void*& other : live) {
        other = std::malloc(size);
      }
      const auto free_all = [&] {
        std::free(p);
        for (void* const other : live) {
          std::free(other);
        }
      };
      EXPECT_DEATH(and_exit([&] {
                     free_all();
                     std::free(p);
                   }),
                   freed_twice(p))
          << size << " bytes, " << others << " others";
      free_all();
    }
  }
}

TEST(CheckedDeathTest, WhatReallocMovedIsFree) {
  GTEST_FLAG_SET(death_test_style, "fast");
  void* volatile p = std::malloc(100);
  const auto free_what_moved = [&] {
    void* volatile moved = std::realloc(p, 5000);
    std::free(moved != p ? p : nullptr);
  };
  const auto move_what_is_free = [&] {
    std::free(p);
    (void)!std::realloc(p, 5000);
  };
  EXPECT_DEATH(and_exit(free_what_moved), freed_twice(p));
  EXPECT_DEATH(and_exit(move_what_is_free), freed_twice(p));
  const auto keep_what_is_free = [&] {
    std::free(p);
    (void)!std::realloc(p, 101);
  };
  EXPECT_DEATH(and_exit(keep_what_is_free), freed_twice(p));
  std::free(p);
}

TEST(CheckedDeathTest, AnInteriorPointerToAnItemIsSeenAtOnce) {
  GTEST_FLAG_SET(death_test_style, "fast");
  char* volatile p = static_cast<char*>(std::malloc(1000));
  EXPECT_DEATH(and_exit([&] { std::free(p + 8); }), "not the start of an allocation");
  std::free(p);
}

// Every way in and out, the same items again and again.
TEST(Checked, WhatIsUsedAgainIsFreedAgain) {
  for (const std::size_t size : item_sizes) {
    for (int round = 0; round < 50; ++round) {
      void* p = std::malloc(size);
      p = std::realloc(p, 2 * size);
      std::free(p);
      std::thread([p = std::calloc(1, size)] { std::free(p); }).join();
      std::free(std::aligned_alloc(64, size));
      ::operator delete(::operator new(size));
    }
  }
  EXPECT_EQ(strata_validate(), 1);
}

TEST(CheckedDeathTest, LocksOutOfOrderAreNamed) {
  GTEST_FLAG_SET(death_test_style, "fast");
  ProcessSync::Mutex low{}, high{};
  EXPECT_DEATH(
      {
        high.lock(rank::segments);
        low.lock(rank::commit);
      },
      "locks taken out of order.*block 2, item|locks taken out of order");
  EXPECT_DEATH(low.unlock(rank::commit), "locks taken out of order");
  // In order, and let go in any order.
  low.lock(rank::commit);
  bool locked = false;
  EXPECT_TRUE(high.try_lock(rank::segments, locked));
  low.unlock(rank::commit);
  EXPECT_FALSE(high.try_lock(rank::segments + 1, locked)) << "busy";
  high.unlock(rank::segments);
}

// As the C library would say it, but without its allocation and its lock.
TEST(CheckedDeathTest, AnAssertionThatFailsIsNamed) {
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_DEATH(assert(process_segments == 0), "checked_test.cpp:.*assertion failed: process_seg");
}

// What a purger holds looks used, and may lie on pages that are clean between dirty ones. The
// checker once took that for broken books.
TEST(CheckedPurge, BesideFreesIsNoViolation) {
  std::atomic<bool> stop{false};
  const auto churn = [&stop](unsigned seed) {
    std::vector<void*> items(300);
    while (!stop) {
      seed = seed * 1'103'515'245 + 12'345;
      void*& item = items[(seed >> 10) % items.size()];
      std::free(item);
      item = (seed >> 25) % 2 != 0 ? std::malloc(7000) : nullptr;
    }
    for (void* const item : items) {
      std::free(item);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    threads.emplace_back(churn, seed);
  }
  for (int i = 0; i < 150; ++i) {
    strata_purge();
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(strata_validate(), 1);
}

// The exit status of this program under an option, running one of its tests; 128 + a signal.
int status_with(const char* option) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("STRATA_OPTIONS", option, 1);
    execl("/proc/self/exe", "checked_test", "--gtest_filter=Checked.*", nullptr);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST(CheckedOptions, EveryNthEventHasTheWholeRecomputed) {
  EXPECT_EQ(status_with("check:1"), 0);
  EXPECT_EQ(status_with("check:1000,check:7"), 0);
}
TEST(CheckedOptions, AWrongOneEndsTheProgram) {
  EXPECT_EQ(status_with("check:x"), 2);
  EXPECT_EQ(status_with("cheque:1"), 2);
}

}  // namespace
}  // namespace strata
