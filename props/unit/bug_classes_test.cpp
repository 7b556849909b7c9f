// Classes of bugs that real allocators have had, as a program sees malloc: linked with
// what libstrata.so is made of.
//
// What each class is, and which test stands for those that are elsewhere:
// props/mutants/plants.toml, whose planted versions each test here must fail on.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "include/strata/strata.h"
#include "props/unit/resident.hpp"

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// A test that hangs dies.
class BugClass : public testing::Test {
 protected:
  void SetUp() override { alarm(20); }
  void TearDown() override {
    alarm(0);
    EXPECT_EQ(strata_validate(), 1);
  }
};

// Aligned realloc loses alignment: what stays below the usable size stays where it is.
TEST_F(BugClass, ReallocKeepsAnAlignedBlockInItsPlace) {
  for (const std::size_t align : {std::size_t{64}, 4 * kib, 64 * kib, mib}) {
    void* const p = std::aligned_alloc(align, align);
    void* const same = std::realloc(p, malloc_usable_size(p));
    EXPECT_EQ(same, p) << align;
    std::free(same);
  }
}

// A large realloc reads past the old block: what lies behind it may not even be readable.
TEST_F(BugClass, ReallocReadsNoFurtherThanTheOldBlock) {
  auto* const p = static_cast<unsigned char*>(std::malloc(40 * mib));
  p[0] = p[40 * mib - 1] = 7;
  auto* const moved = static_cast<unsigned char*>(std::realloc(p, 3 * gib));
  ASSERT_NE(moved, nullptr);
  EXPECT_EQ(moved[0] + moved[40 * mib - 1], 14);
  std::free(moved);
}

// A re-zeroing path leaves dirt: a block that was shrunk, freed and taken again by calloc.
TEST_F(BugClass, CallocOfWhatReallocShrankIsZero) {
  for (const std::size_t size : {100 * kib, 900 * kib, 3 * mib}) {
    for (int round = 0; round < 3; ++round) {
      auto* p = static_cast<unsigned char*>(std::malloc(size));
      std::memset(p, 0xEE, size);
      p = static_cast<unsigned char*>(std::realloc(p, size / 2 + 1));
      std::free(p);
      auto* const zero = static_cast<unsigned char*>(std::calloc(size, 1));
      ASSERT_EQ(zero[0], 0) << size;
      EXPECT_EQ(std::memcmp(zero, zero + 1, size - 1), 0) << size;
      std::free(zero);
    }
  }
}

// The usable size of an aligned block is wrong: all of it can be written, next to others.
TEST_F(BugClass, EveryUsableByteOfAnAlignedBlockIsItsOwn) {
  for (const std::size_t align : {std::size_t{16}, std::size_t{64}, 4 * kib, 128 * kib}) {
    std::array<unsigned char*, 40> live{};
    for (std::size_t i = 0; i < live.size(); ++i) {
      live[i] = static_cast<unsigned char*>(std::aligned_alloc(align, 24));
      std::memset(live[i], static_cast<int>(i), malloc_usable_size(live[i]));
    }
    for (std::size_t i = 0; i < live.size(); ++i) {
      EXPECT_EQ(live[i][0], i) << align;
      EXPECT_EQ(live[i][malloc_usable_size(live[i]) - 1], i) << align;
      std::free(live[i]);
    }
  }
}

// A sized free goes by the size to a wrong class: here every free goes by the address.
TEST_F(BugClass, ASizedDeleteOfAnAlignedBlockFindsItsClass) {
  for (int i = 0; i < 200; ++i) {
    void* const p = ::operator new(1, std::align_val_t{4096});
    ::operator delete(p, std::size_t{1}, std::align_val_t{4096});
    void* const small = std::malloc(1);
    ASSERT_EQ(malloc_usable_size(small), 16U) << i;
    std::free(small);
  }
}

// A fork deadlocks, or its child does: the child has every lock free, however busy others were.
TEST_F(BugClass, AForkedChildCanAllocateAtOnce) {
  std::thread([] {
    const pid_t child = fork();
    if (child == 0) {
      alarm(5);
      std::free(std::malloc(100));
      std::free(std::malloc(5 * mib));
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }).join();
}

// A fork between the first call and the registration of the fork handlers: a constructor that comes
// right after ours, with a busy thread beside it, finds them registered.
int early_fork_status = -1;
[[gnu::constructor(102)]]
void fork_early() {
  std::atomic<bool> stop{false};
  std::thread busy([&] {
    while (!stop) {
      std::free(std::malloc(100 * kib));
    }
  });
  for (int i = 0; i < 300 && early_fork_status <= 0; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(2);
      std::free(std::malloc(100 * kib));
      std::free(std::malloc(100));
      _exit(0);
    }
    waitpid(child, &early_fork_status, 0);
  }
  stop = true;
  busy.join();
}
TEST_F(BugClass, AForkInAnEarlyConstructorFindsTheHandlers) { EXPECT_EQ(early_fork_status, 0); }

// Recursion in TLS set-up: with so many keys taken before ours, pthread_setspecific itself calls
// calloc in every thread's first call.
std::array<pthread_key_t, 40> early_keys;
void take_keys(int, char**, char**) {
  for (pthread_key_t& key : early_keys) {
    pthread_key_create(&key, nullptr);
  }
}
[[gnu::section(".preinit_array"), gnu::used]]
void (*const take_keys_first)(int, char**, char**) = take_keys;

TEST_F(BugClass, TheFirstCallMayAllocateInItsOwnSetUp) {
  EXPECT_GE(early_keys.back(), 32U) << "glibc keeps the values of the first 32 keys in the thread";
  const std::size_t before = strata::check::resident_bytes();
  for (int i = 0; i < 10; ++i) {
    std::thread([] {
      void* const p = std::malloc(100);
      EXPECT_NE(p, nullptr);
      std::free(p);
    }).join();
  }
  EXPECT_LT(strata::check::resident_bytes(), before + 16 * mib)
      << "one cache a thread, not all that there are";
}

// A signal while there is no cache yet: a thread's first call of all is in a handler.
volatile std::sig_atomic_t handled = 0;
TEST_F(BugClass, AThreadsFirstCallIsInASignalHandler) {
  struct sigaction action{};
  action.sa_handler = [](int) {
    std::free(std::malloc(48));
    std::free(std::malloc(300 * kib));
    handled = handled + 1;
  };
  ASSERT_EQ(sigaction(SIGUSR1, &action, nullptr), 0);
  for (int i = 0; i < 20; ++i) {
    pthread_t thread;
    const auto raise_first = [](void*) -> void* {
      pthread_kill(pthread_self(), SIGUSR1);
      std::free(std::malloc(48));
      return nullptr;
    };
    ASSERT_EQ(pthread_create(&thread, nullptr, raise_first, nullptr), 0);
    pthread_join(thread, nullptr);
  }
  EXPECT_EQ(handled, 20);
}

// Freed and allocated while the thread's locals die: the dead cache serves, and keeps nothing.
pthread_key_t dying_key;
TEST_F(BugClass, ADyingThreadAllocatesAndFrees) {
  ASSERT_EQ(pthread_key_create(&dying_key,
                               [](void* p) {
                                 std::free(p);
                                 for (std::size_t size = 16; size < mib; size *= 4) {
                                   std::free(std::malloc(size));
                                 }
                               }),
            0);
  for (int i = 0; i < 50; ++i) {
    std::thread([] { pthread_setspecific(dying_key, std::malloc(100)); }).join();
  }
  pthread_key_delete(dying_key);
}

// What other threads free is never collected: one allocates, each other thread only frees, and the
// addresses come round again.
TEST_F(BugClass, WhatOtherThreadsFreeIsUsedAgain) {
  std::uintptr_t highest = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<void*> batch(5000);
    for (void*& p : batch) {
      p = std::malloc(1000);
      const auto address = reinterpret_cast<std::uintptr_t>(p);
      EXPECT_TRUE(round < 2 || address <= highest) << "round " << round;
      highest = round < 2 ? std::max(highest, address) : highest;
    }
    std::thread([&] {
      for (void* const p : batch) {
        std::free(p);
      }
    }).join();
    if (HasFailure()) {
      break;
    }
  }
}

}  // namespace
