// The edges of the malloc family, linked with what libstrata.so is made of: errors and errno, what
// is rounded to what, operator new's handlers, the options at start-up.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "include/strata/strata.h"
#include "props/unit/resident.hpp"

namespace {

using strata::check::resident_bytes;

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::size_t too_large = static_cast<std::size_t>(PTRDIFF_MAX) + 1;

TEST(Errno, IsLeftAloneByWhatSucceeds) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, 100 * kib, 5 * mib}) {
    errno = 77;
    void* p = std::malloc(size);
    p = std::realloc(p, size + 10);
    std::free(p);
    std::free(std::calloc(1, size));
    std::free(memalign(4096, size));
    std::free(valloc(size));
    ::operator delete(::operator new(size, std::nothrow));
    EXPECT_EQ(errno, 77) << size;
  }
}

TEST(Errno, IsEnomemForEachOfTheFamily) {
  void* const p = std::malloc(10);
  const auto fails = [](void* result) {
    const bool is_right = result == nullptr && errno == ENOMEM;
    errno = 0;
    return is_right;
  };
  errno = 0;
  EXPECT_TRUE(fails(std::malloc(too_large)));
  EXPECT_TRUE(fails(std::calloc(1, too_large)));
  EXPECT_TRUE(fails(std::calloc(too_large, 2)));
  EXPECT_TRUE(fails(std::realloc(p, too_large)));
  EXPECT_TRUE(fails(std::realloc(nullptr, too_large)));
  EXPECT_TRUE(fails(reallocarray(p, too_large, 2)));
  EXPECT_TRUE(fails(reallocarray(nullptr, too_large, 2)));
  EXPECT_TRUE(fails(memalign(64, too_large)));
  EXPECT_TRUE(fails(memalign(2 * gib, 1)));
  EXPECT_TRUE(fails(std::aligned_alloc(64, too_large)));
  EXPECT_TRUE(fails(valloc(too_large)));
  EXPECT_TRUE(fails(pvalloc(too_large)));
  EXPECT_TRUE(fails(pvalloc(static_cast<std::size_t>(PTRDIFF_MAX))));
  EXPECT_TRUE(fails(::operator new(too_large, std::nothrow)));
  EXPECT_TRUE(fails(std::malloc(std::size_t{256} * gib + 1))) << "larger than the heap";
  std::free(p);
}

TEST(Rounding, OfAlignmentsAndSizes) {
  const auto at = [](void* p, std::size_t align) {
    const bool aligned = reinterpret_cast<std::uintptr_t>(p) % align == 0;
    std::free(p);
    return aligned;
  };
  const volatile std::size_t none = 0, odd = 48, above = 4097;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(at(memalign(odd, 10), 64)) << "other alignments are rounded up";
    EXPECT_TRUE(at(memalign(above, 10), 8192));
    EXPECT_TRUE(at(valloc(10), 4096));
    EXPECT_TRUE(at(pvalloc(10), 4096));
  }
  EXPECT_TRUE(at(memalign(none, 10), 1));
  EXPECT_TRUE(at(memalign(gib, 10), gib));
  EXPECT_TRUE(at(std::aligned_alloc(gib, 10), gib));
  void* p = nullptr;
  EXPECT_EQ(posix_memalign(&p, sizeof(void*), 10), 0);
  std::free(p);
  EXPECT_EQ(posix_memalign(&p, gib, 10), 0);
  EXPECT_TRUE(at(p, gib));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4096}, 10 * kib}) {
    void* const pages = pvalloc(size);
    EXPECT_GE(malloc_usable_size(pages), (size + 4095) / 4096 * 4096) << size;
    std::free(pages);
  }
  EXPECT_EQ(malloc_usable_size(nullptr), 0U);
}

TEST(Realloc, MovesOnlyWhatDoesNotFit) {
  void* const small = std::malloc(100);  // of 112
  EXPECT_EQ(std::realloc(small, 112), small);
  EXPECT_EQ(std::realloc(small, 57), small) << "more than half is used";
  void* const smaller = std::realloc(small, 56);
  EXPECT_NE(smaller, small);
  EXPECT_EQ(malloc_usable_size(smaller), 64U);
  void* const larger = std::realloc(smaller, 65);
  EXPECT_GE(malloc_usable_size(larger), 65U);
  EXPECT_EQ(reallocarray(larger, 10, 7), larger);
  std::free(larger);
  void* const block = std::malloc(8 * mib);
  EXPECT_EQ(std::realloc(block, mib + 1), block) << "an eighth is little enough to move for";
  void* const moved = std::realloc(block, mib);
  EXPECT_NE(moved, block);
  void* const grown = std::realloc(moved, 3 * mib);
  EXPECT_EQ(malloc_usable_size(grown), 8 * mib) << "what grows again gets more than it asks for";
  std::free(grown);
}

// Segments are its own to the end of the last one: growth there copies nothing.
TEST(Realloc, ARunGrowsAndShrinksWhereItIs) {
  auto* const run = static_cast<char*>(std::malloc(gib + mib));
  ASSERT_NE(run, nullptr);
  run[0] = run[gib + mib - 1] = 1;
  auto* const grown = static_cast<char*>(std::realloc(run, 2 * gib));
  ASSERT_EQ(grown, run);
  EXPECT_EQ(malloc_usable_size(grown), 2 * gib);
  grown[2 * gib - 1] = 2;
  EXPECT_EQ(grown[0] + grown[gib + mib - 1], 2);
  EXPECT_EQ(strata_validate(), 1);
  auto* const shrunk = static_cast<char*>(std::realloc(grown, 700 * mib));
  ASSERT_EQ(shrunk, run);
  EXPECT_EQ(shrunk[0], 1);
  EXPECT_EQ(malloc_usable_size(shrunk), 2 * gib);
  auto* const again = static_cast<char*>(std::realloc(shrunk, 2 * gib));
  ASSERT_EQ(again, run);
  EXPECT_EQ(again[2 * gib - 1], 0) << "what was left over went back to the system";
  for (const std::size_t beyond : {gib * gib, std::size_t{PTRDIFF_MAX}, std::size_t{SIZE_MAX}}) {
    errno = 0;
    EXPECT_EQ(std::realloc(again, beyond), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
  EXPECT_EQ(malloc_usable_size(again), 2 * gib);
  std::free(again);
}

// Even where its memory is not known to be zero: so much is live that free dirt is kept.
TEST(Realloc, ARunThatShrinksToAnotherStaysWhereItIs) {
  void* const run = std::malloc(20 * gib);
  ASSERT_NE(run, nullptr);
  void* const shorter = std::realloc(run, 2 * gib);
  EXPECT_EQ(shorter, run);
  std::free(shorter);
}

TEST(Calloc, OfWhatIsLargeTouchesNothing) {
  void* const live = std::malloc(16 * gib);
  for (const std::size_t bytes : {40 * mib, 700 * mib}) {
    auto* const dirty = static_cast<char*>(std::malloc(bytes));
    ASSERT_NE(dirty, nullptr);
    dirty[0] = dirty[bytes - 1] = 1;
    std::free(dirty);
    const std::size_t before = resident_bytes();
    auto* const zero = static_cast<char*>(std::calloc(bytes, 1));
    ASSERT_EQ(zero, dirty);
    EXPECT_LE(resident_bytes(), before + mib) << bytes;
    EXPECT_EQ(zero[0] + zero[bytes - 1], 0);
    std::free(zero);
  }
  std::free(live);
}

TEST(Realloc, FreesWhatItMoves) {
  strata_bounds before, after;
  void* p = std::malloc(40 * kib);
  strata_purge();  // magazines count as live
  strata_bounds_now(&before);
  for (std::size_t size = 40 * kib; size < 200 * mib; size *= 5) {
    p = std::realloc(p, size);
    ASSERT_NE(p, nullptr);
  }
  p = std::realloc(p, 40 * kib);
  strata_purge();
  strata_bounds_now(&after);
  EXPECT_LE(after.live_bytes, before.live_bytes + 128 * kib);
  EXPECT_EQ(std::realloc(p, 0), nullptr);
  strata_purge();
  strata_bounds_now(&after);
  EXPECT_LT(after.live_bytes, before.live_bytes);
}

TEST(Bounds, AreThoseOfTheWholeSpace) {
  strata_bounds bounds;
  strata_purge();
  strata_bounds_now(&bounds);
  EXPECT_LE(bounds.heap_bytes, 256 * gib);
  EXPECT_GE(bounds.heap_bytes, 255 * gib);
  EXPECT_EQ(bounds.mappings_max, 49'168U);
  EXPECT_GT(bounds.mappings, 16U);
  EXPECT_LT(bounds.mappings, 1000U);
  EXPECT_EQ(bounds.thread_cache_bytes, 3'292'320U);
  EXPECT_EQ(bounds.threads_max, 16'384U);
  const std::uint64_t live = bounds.live_bytes;
  void* const p = std::malloc(3 * mib);
  strata_bounds_now(&bounds);
  EXPECT_EQ(bounds.live_bytes, live + 4 * mib);
  std::free(p);
  strata_bounds_now(&bounds);
  EXPECT_EQ(bounds.live_bytes, live);
  EXPECT_GE(bounds.dirty_bytes, 4 * mib);
  strata_purge();
  strata_bounds_now(&bounds);
  EXPECT_EQ(bounds.dirty_bytes, 0U);
}

// --- Start-up ------------------------------------------------------------------------------------

struct End {
  int status;
  std::string said;  // on standard error
};

// This program again, with an option (null: unset); how it ends.
End with_options(const char* text) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    text == nullptr ? unsetenv("STRATA_OPTIONS") : setenv("STRATA_OPTIONS", text, 1);
    close(STDOUT_FILENO);
    dup2(ends[1], STDERR_FILENO);
    execl("/proc/self/exe", "again", "--gtest_filter=Bounds.*", nullptr);
    _exit(100);
  }
  close(ends[1]);
  std::string said;
  for (char byte; read(ends[0], &byte, 1) == 1;) {
    said += byte;
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128, said};
}

TEST(Options, AreReadAtStartUp) {
  for (const char* const none : {static_cast<const char*>(nullptr), ""}) {
    const End end = with_options(none);
    EXPECT_EQ(end.status, 0);
    EXPECT_EQ(end.said, "");
  }
  EXPECT_EQ(with_options("check:").status, 2);
  EXPECT_EQ(with_options("what").status, 2);
}

TEST(Options, WhatThisLibraryDoesNotDoIsSaid) {
  for (const std::string option : {"check:5", "check:0"}) {
    const End end = with_options(option.c_str());
    EXPECT_EQ(end.status, 0) << "it goes on";
    EXPECT_EQ(end.said, "strata: \"" + option +
                            "\" in STRATA_OPTIONS does nothing in this library: "
                            "preload or link libstrata-checked.so instead\n");
  }
}

// --- Threads -------------------------------------------------------------------------------------

// A thread has a cache from its first miss to its end: the same item comes back at once, and what
// it held is there for others afterwards.
TEST(Threads, TheFirstHasMagazinesToo) {
  void* const lower = std::malloc(3000);
  void* const higher = std::malloc(3000);
  std::free(lower);
  std::free(higher);
  EXPECT_EQ(std::malloc(3000), higher);
  std::free(higher);
}

TEST(Threads, HaveMagazinesAndLeaveThemEmpty) {
  std::vector<void*> held;
  std::thread([&] {
    void* const p = std::malloc(3000);
    void* const higher = std::malloc(3000);
    std::free(p);
    std::free(higher);
    EXPECT_EQ(std::malloc(3000), higher) << "last in, first out; a bin would give the lowest";
    EXPECT_EQ(std::malloc(3000), p);
    std::free(higher);
    for (int i = 0; i < 20; ++i) {
      held.push_back(std::malloc(3000));
    }
    for (void* const q : held) {
      std::free(q);
    }
    std::free(p);
  }).join();
  std::thread([&] {
    std::vector<void*> again;
    for (std::size_t i = 0; i < 42; ++i) {  // of two chunks: the one that was kept comes first
      again.push_back(std::malloc(3000));
    }
    std::size_t found = 0;
    for (void* const p : again) {
      found += std::find(held.begin(), held.end(), p) != held.end();
      std::free(p);
    }
    EXPECT_EQ(found, held.size()) << "they came back to their bin";
  }).join();
}

}  // namespace
