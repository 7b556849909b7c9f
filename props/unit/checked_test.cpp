// libstrata-checked.so's own objects, linked: what it fills, checks and says.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cassert>
#include <cstdlib>
#include <cstring>

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
