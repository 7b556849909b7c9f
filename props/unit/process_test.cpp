// malloc over the life of threads and processes, linked with what libstrata.so is made of.
#include <gtest/gtest.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "include/strata/strata.h"
#include "props/unit/resident.hpp"

namespace {

using strata::check::resident_bytes;

// The release preset does ten thousand forks and a hundred thousand threads, others a tenth.
#ifdef NDEBUG
constexpr int scale = 1000;
#else
constexpr int scale = 100;
#endif

// Allocated before main, before and inside constructors.
[[gnu::constructor(102)]]
void allocate_early();
void* early = nullptr;
void allocate_early() { early = std::malloc(77); }
const std::vector<int> in_a_constructor(1000, 7);

// Handlers of fork that were there before malloc's own, and allocate: they run with every lock
// held. (A library's may be, whose constructor ran first.)
void allocate_in_handler() {
  for (std::size_t size = 1; size < 300'000; size *= 3) {
    std::vector<void*> live(40);
    for (void*& p : live) {
      p = std::malloc(size);
    }
    std::ranges::for_each(live, std::free);
  }
}
void register_handlers() {
  pthread_atfork(allocate_in_handler, allocate_in_handler, allocate_in_handler);
}
[[gnu::used, gnu::section(".preinit_array")]]
void (*const before_every_constructor)() = register_handlers;

TEST(Process, AllocatesInConstructors) {
  EXPECT_NE(early, nullptr);
  std::free(early);
  early = nullptr;
  EXPECT_EQ(in_a_constructor[999], 7);
}

// Churns until told to stop, checking what it wrote.
void churn(const std::atomic<bool>& stop) {
  std::array<unsigned char*, 64> live{};
  for (unsigned i = 0; !stop.load(std::memory_order_relaxed); ++i) {
    unsigned char*& p = live[i * 7 % live.size()];
    if (p != nullptr && p[0] != 0x33) {
      std::abort();
    }
    std::free(p);
    p = static_cast<unsigned char*>(std::malloc(i % 100 == 0 ? 100'000 + i % 3000 : i % 3000 + 1));
    p[0] = 0x33;
  }
  for (unsigned char* const p : live) {
    std::free(p);
  }
}

// What a forked child does with its copy of the heap; 0 if all went well.
int use_heap_in_child(unsigned char* inherited) {
  std::vector<unsigned char*> live;
  for (std::size_t size = 1; size < 300'000; size *= 3) {
    live.push_back(static_cast<unsigned char*>(std::malloc(size)));
    live.back()[size - 1] = 1;
  }
  for (unsigned char* const p : live) {
    std::free(p);
  }
  const bool kept = inherited[99] == 42;
  std::free(inherited);
  return kept ? 0 : 1;
}

TEST(Fork, ThousandsOfTimesWhileOthersAllocate) {
  constexpr int forks = 10 * scale;
  std::atomic<bool> stop{false};
  std::thread one([&] { churn(stop); });
  std::thread two([&] { churn(stop); });
  int failed = 0;
  for (int i = 0; i < forks; ++i) {
    auto* const inherited = static_cast<unsigned char*>(std::malloc(100));
    inherited[99] = 42;
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);  // a child that hangs dies
      const int code = use_heap_in_child(inherited);
      _exit(i % 1000 == 0 && strata_validate() != 1 ? 2 : code);
    }
    ASSERT_GT(child, 0);
    std::free(inherited);
    int status = 0;
    waitpid(child, &status, 0);
    failed += status == 0 ? 0 : 1;
  }
  stop = true;
  one.join();
  two.join();
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(strata_validate(), 1);
}

// One thread has a stream and waits for the heap, one has the list of streams and waits for the
// stream; fork wants both, the heap and the list.
TEST(Fork, WhileStdioWaitsForTheHeap) {
  alarm(60);
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const std::vector<char> line(1 << 20, 'x');
  std::fwrite(line.data(), 1, line.size(), file);
  std::fputc('\n', file);
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      std::rewind(file);
      char* text = nullptr;
      std::size_t size = 0;
      EXPECT_GT(getline(&text, &size, file), 0);
      std::free(text);
    }
  });
  std::thread flusher([&] {
    while (!stop) {
      std::fflush(nullptr);
      std::this_thread::yield();  // or fork hardly ever gets the list
    }
  });
  for (int i = 0; i < 100; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      alarm(20);
      std::fflush(nullptr);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  stop = true;
  reader.join();
  flusher.join();
  std::fclose(file);
  alarm(0);
}

// A thread that was refused magazines when it began gets them later.
TEST(Threads, WithoutMagazinesAskAgain) {
  rlimit old{};
  getrlimit(RLIMIT_DATA, &old);
  rlimit none = old;
  none.rlim_cur = 1;
  // Of more slots than any test before has used.
  std::vector<std::thread> others;
  std::atomic<bool> stop{false};
  std::atomic<int> begun{0};
  for (int i = 0; i < 40; ++i) {
    others.emplace_back([&] {
      std::free(std::malloc(100));
      ++begun;
      begun.notify_all();
      stop.wait(false);
    });
  }
  for (int now = begun; now < 40; now = begun) {
    begun.wait(now);
  }
  std::thread([&] {
    setrlimit(RLIMIT_DATA, &none);
    std::free(std::malloc(100));
    setrlimit(RLIMIT_DATA, &old);
    for (int i = 0; i < 1000; ++i) {
      std::free(std::malloc(100));
    }
    // With magazines the last freed is the first again; the bins give the lowest.
    void* const low = std::malloc(100);
    void* const high = std::malloc(100);
    std::free(std::min(low, high));
    std::free(std::max(low, high));
    void* const next = std::malloc(100);
    EXPECT_EQ(next, std::max(low, high));
    std::free(next);
  }).join();
  stop = true;
  stop.notify_all();
  for (std::thread& other : others) {
    other.join();
  }
}

TEST(Fork, InSeveralThreadsAtOnce) {
  std::atomic<int> failed{0};
  const auto fork_often = [&] {
    for (int i = 0; i < 300; ++i) {
      auto* const inherited = static_cast<unsigned char*>(std::malloc(100));
      inherited[99] = 42;
      const pid_t child = fork();
      if (child == 0) {
        alarm(20);
        _exit(use_heap_in_child(inherited));
      }
      std::free(inherited);
      int status = 0;
      waitpid(child, &status, 0);
      failed += status == 0 ? 0 : 1;
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back(fork_often);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(failed.load(), 0);
  EXPECT_EQ(strata_validate(), 1);
}

// The status of this program, begun again with so much address space.
int status_within(rlim_t bytes, const char* look, const char* run = "--gtest_list_tests") {
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = bytes;
    setrlimit(RLIMIT_AS, &limit);
    setenv("STRATA_TEST_WITHIN", look, 1);
    execl("/proc/self/exe", "process_test", run, nullptr);
    _exit(3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

// Before anything that cannot live without memory: what the calls say of a heap that is closed.
[[gnu::constructor(103)]]
void look_at_closed_heap() {
  const char* const look = std::getenv("STRATA_TEST_WITHIN");
  if (look == nullptr || std::strcmp(look, "closed") != 0) {
    return;
  }
  strata_bounds bounds;
  std::memset(&bounds, 0xFF, sizeof bounds);
  strata_bounds_now(&bounds);
  strata_purge();
  errno = 0;
  const bool refused = std::malloc(0) == nullptr && errno == ENOMEM;
  std::free(nullptr);
  _exit(refused && bounds.heap_bytes == 0 && strata_validate() == 1 ? 7 : 8);
}

// Where nothing is left but blocks of 8 MiB, 1 MiB is one of them, and nothing is gained by a
// move. The test begins itself again, with little address space.
TEST(Process, InAScarceSpaceReallocDoesNotMoveInVain) {
  if (std::getenv("STRATA_TEST_WITHIN") == nullptr) {
    const int status = status_within(rlim_t{1} << 30, "here", "--gtest_filter=*DoesNotMoveInVain");
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    return;
  }
  void* const block = std::malloc(std::size_t{8} << 20);
  ASSERT_NE(block, nullptr);
  std::vector<void*> others(100);
  std::ranges::generate(others, [] { return std::malloc(std::size_t{32} << 20); });
  EXPECT_EQ(others.back(), nullptr);
  void* const shrunk = std::realloc(block, std::size_t{1} << 20);
  EXPECT_EQ(shrunk, block);
  EXPECT_EQ(malloc_usable_size(shrunk), std::size_t{8} << 20);
  std::ranges::for_each(others, std::free);
  std::free(shrunk);
}

TEST(Process, BelowTheLowestRungEveryRequestIsRefused) {
  const int looked = status_within(100 << 20, "closed");
  EXPECT_TRUE(WIFEXITED(looked) && WEXITSTATUS(looked) == 7) << looked;
  // The test program itself cannot live without memory: bad_alloc ends it, no wild pointer does.
  const int status = status_within(100 << 20, "go on");
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

// An option that cannot be read ends the program before it begins; the shipped library's too.
TEST(Process, AWrongOptionEndsIt) {
  for (const auto& [option, expected] : {std::pair("check:1", 0), std::pair("check:x", 2)}) {
    const pid_t child = fork();
    if (child == 0) {
      setenv("STRATA_OPTIONS", option, 1);
      execl("/proc/self/exe", "process_test", "--gtest_list_tests", nullptr);
      _exit(3);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == expected) << option << ' ' << status;
  }
}

TEST(Threads, AHundredThousandLeaveNothingBehind) {
  const auto round = [](int threads) {
    for (int i = 0; i < threads; ++i) {
      std::thread([i] {
        void* const p = std::malloc(static_cast<std::size_t>(i % 5000 + 1));
        std::memset(p, 1, 1);
        std::free(p);
      }).join();
    }
  };
  round(scale);
  const std::size_t before = resident_bytes();
  round(100 * scale);
  const std::size_t after = resident_bytes();
  std::printf("resident %zu KiB before, %zu KiB after\n", before / 1024, after / 1024);
  EXPECT_LE(after, before + (std::size_t{1} << 20));
}

TEST(Threads, ManyAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<bool> stop{false};
  for (int i = 0; i < 64; ++i) {
    threads.emplace_back([&] { churn(stop); });
  }
  EXPECT_EQ(strata_validate(), 1);
  stop = true;
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(strata_validate(), 1);
}

}  // namespace
