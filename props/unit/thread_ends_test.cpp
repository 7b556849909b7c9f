// malloc at the end of threads: late destructors, caches that go and come back. Linked with
// what libstrata.so is made of.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "include/strata/strata.h"
#include "props/unit/resident.hpp"

namespace {

using strata::check::resident_bytes;

// Allocates and frees in key destructors, again and again, after the thread's cache is gone.
pthread_key_t late_key;
std::atomic<int> late_rounds{0};

void late_destructor(void* value) {
  std::free(value);
  void* const p = std::malloc(200);
  std::memset(p, 1, 200);
  if (late_rounds.fetch_add(1) % 3 != 2) {
    pthread_setspecific(late_key, p);
  } else {
    std::free(p);
  }
}

struct LateLocal {
  std::vector<int> body = std::vector<int>(100, 1);
  ~LateLocal() {
    body.assign(10'000, 2);
    if (body[9'999] != 2) {
      std::abort();
    }
  }
};
thread_local LateLocal late_local;

TEST(Threads, AllocateInLateDestructors) {
  ASSERT_EQ(pthread_key_create(&late_key, late_destructor), 0);
  for (int i = 0; i < 200; ++i) {
    std::thread([] {
      late_local.body[0] = 3;
      pthread_setspecific(late_key, std::malloc(100));
    }).join();
  }
  EXPECT_GE(late_rounds.load(), 600);
  EXPECT_EQ(strata_validate(), 1);
  pthread_key_delete(late_key);
}

std::uint64_t live_bytes() {
  strata_bounds now;
  strata_bounds_now(&now);
  return now.live_bytes;
}

// When the round of destructors that took its cache away is over.
pthread_key_t last_key;
struct Last {
  int rounds = 0;
  std::array<char, 4000> body{};
};
void delete_in_the_third_round(void* value) {
  Last* const last = static_cast<Last*>(value);
  if (++last->rounds < 3) {
    pthread_setspecific(last_key, last);
  } else {
    delete last;
  }
}

TEST(Threads, WhatOneFreesWithoutItsCacheIsFree) {
  ASSERT_EQ(pthread_key_create(&last_key, delete_in_the_third_round), 0);
  const auto round = [] { std::thread([] { pthread_setspecific(last_key, new Last); }).join(); };
  round();
  const std::uint64_t before = live_bytes();
  for (int i = 0; i < 50; ++i) {
    round();
  }
  EXPECT_LT(live_bytes(), before + 10 * sizeof(Last));
  pthread_key_delete(last_key);
}

// The number is in core/README.md. From its cache a thread gets what it freed last, from the bins
// what is lowest.
TEST(Threads, OneThatOnlyFreesHasACacheAfter32) {
  for (const std::size_t frees : {32U, 33U}) {
    std::array<void*, 33> objects{};
    std::ranges::generate(objects, [] { return std::malloc(2000); });
    std::ranges::sort(objects);
    void* next = nullptr;
    std::thread([&] {
      std::for_each_n(objects.begin(), frees, std::free);
      next = std::malloc(2000);
    }).join();
    EXPECT_EQ(next == objects[frees - 1], frees == 33);
    std::free(next);
    std::for_each(objects.begin() + frees, objects.end(), std::free);
  }
}

// glibc frees what it had for a detached thread when its key destructors have run: after that, and
// where there was no allocation before it, a cache would stay for ever. The stacks are too large
// for glibc to keep.
TEST(Threads, OnesThatOnlyEndLeaveNoCache) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, std::size_t{64} << 20);
  const auto round = [&](int threads) {
    std::atomic<int> alive{threads};
    for (int i = 0; i < threads; ++i) {
      pthread_t thread;
      while (pthread_create(
                 &thread, &attributes,
                 [](void* count) -> void* {
                   static_cast<std::atomic<int>*>(count)->fetch_sub(1);
                   return nullptr;
                 },
                 &alive) != 0) {
        sched_yield();
      }
      while (i % 4 == 3 && alive.load() > threads - i - 1) {
        sched_yield();  // four at a time
      }
    }
    while (alive.load() > 0) {
      sched_yield();
    }
    usleep(100'000);  // until they have ended
  };
  round(300);
  const std::size_t before = resident_bytes();
  round(2000);
  EXPECT_LE(resident_bytes(), before + (std::size_t{256} << 10));
  pthread_attr_destroy(&attributes);
}

TEST(Threads, AThreadThatOnlyFreesGivesItsCacheBack) {
  std::vector<void*> batch(20'000);
  const auto round = [&] {
    for (void*& p : batch) {
      p = std::malloc(48);
    }
    std::thread([&] {
      for (void* const p : batch) {
        std::free(p);
      }
    }).join();
  };
  round();
  const std::size_t before = resident_bytes();
  for (int i = 0; i < 50; ++i) {
    round();
  }
  EXPECT_LE(resident_bytes(), before + (std::size_t{1} << 20));
}

}  // namespace
