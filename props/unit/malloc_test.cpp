// The malloc family and operator new as a program sees them, linked with what libstrata.so is
// made of.
#include <gtest/gtest.h>
#include <malloc.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

#include "include/strata/strata.h"
#include "props/unit/resident.hpp"

extern "C" {
void cfree(void*);
void free_sized(void*, std::size_t);
void free_aligned_sized(void*, std::size_t, std::size_t);
}

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::size_t too_large = static_cast<std::size_t>(PTRDIFF_MAX) + 1;

using strata::check::resident_bytes;

bool is_zero(const unsigned char* bytes, std::size_t size) {
  return size == 0 || (bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0);
}

TEST(Malloc, IsOurs) {
  void* const p = std::malloc(100);
  EXPECT_EQ(malloc_usable_size(p), 112U);  // Quarter's class; glibc says 104
  std::free(p);
}

TEST(Malloc, NothingIsUsableOfNull) { EXPECT_EQ(malloc_usable_size(nullptr), 0U); }

TEST(Malloc, SizeZeroIsAUniquePointer) {
  void* const a = std::malloc(0);
  void* const b = std::malloc(0);
  EXPECT_NE(a, nullptr);
  EXPECT_NE(a, b);
  std::free(a);
  std::free(b);
  std::free(nullptr);
}

TEST(Malloc, TooLargeIsEnomem) {
  for (const std::size_t size : {too_large, SIZE_MAX, SIZE_MAX - 4095, std::size_t{1} << 62}) {
    errno = 0;
    EXPECT_EQ(std::malloc(size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(std::aligned_alloc(64, size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(pvalloc(size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
    errno = 0;
    EXPECT_EQ(valloc(size), nullptr);
    EXPECT_EQ(errno, ENOMEM);
  }
}

TEST(Calloc, OverflowIsEnomem) {
  errno = 0;
  EXPECT_EQ(std::calloc(SIZE_MAX / 2, 3), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  errno = 0;
  EXPECT_EQ(std::calloc(std::size_t{1} << 32, std::size_t{1} << 32), nullptr);
  EXPECT_EQ(errno, ENOMEM);
}

TEST(Calloc, ZeroesWhatWasDirty) {
  for (const std::size_t size :
       {std::size_t{24}, 1000 * std::size_t{1}, 30 * kib, 70 * kib, 900 * kib, 3 * mib, 40 * mib}) {
    for (int round = 0; round < 3; ++round) {
      auto* const p = static_cast<unsigned char*>(std::calloc(1, size));
      ASSERT_NE(p, nullptr);
      EXPECT_TRUE(is_zero(p, size)) << size;
      std::memset(p, 0xFF, size);
      std::free(p);
    }
  }
}

TEST(Realloc, KeepsContentsThroughEverySize) {
  std::size_t size = 1;
  auto* p = static_cast<unsigned char*>(std::realloc(nullptr, size));
  p[0] = 7;
  for (const bool growing : {true, false}) {
    while (growing ? size < 100 * mib : size > 16) {
      const std::size_t next = growing ? size * 3 / 2 + 1 : size * 2 / 3;
      const std::size_t common = std::min(size, next);
      p[common - 1] = static_cast<unsigned char>(common);
      p = static_cast<unsigned char*>(std::realloc(p, next));
      ASSERT_NE(p, nullptr);
      ASSERT_EQ(p[common - 1], static_cast<unsigned char>(common));
      ASSERT_GE(malloc_usable_size(p), next);
      size = next;
    }
  }
  EXPECT_EQ(std::realloc(p, 0), nullptr);  // and frees, as in glibc
}

// A block that has grown is larger than was asked for. What was never touched of it is not copied.
TEST(Realloc, CopiesNothingThatWasNotTouched) {
  auto* p = static_cast<unsigned char*>(std::malloc(mib));
  p = static_cast<unsigned char*>(std::realloc(p, 130 * mib));
  std::memset(p, 1, 70 * mib);
  p[129 * mib] = 2;
  const std::size_t before = resident_bytes();
  p = static_cast<unsigned char*>(std::realloc(p, 600 * mib));
  ASSERT_NE(p, nullptr);
  EXPECT_LT(resident_bytes(), before + 20 * mib);
  for (std::size_t i = 0; i < 70 * mib; ++i) {
    ASSERT_EQ(p[i], 1);
  }
  EXPECT_EQ(p[70 * mib], 0);
  EXPECT_EQ(p[129 * mib], 2);
  std::free(p);
}

TEST(Realloc, FailureLeavesTheOldBlock) {
  auto* const p = static_cast<unsigned char*>(std::malloc(1000));
  std::memset(p, 5, 1000);
  errno = 0;
  EXPECT_EQ(std::realloc(p, too_large), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(reallocarray(p, SIZE_MAX / 2, 3), nullptr);
  EXPECT_EQ(p[0] + p[999], 10);
  std::free(p);
}

TEST(Aligned, TheWholeFamily) {
  for (std::size_t align = 1; align <= gib; align *= 2) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, align, align + 1}) {
      void* const pointers[] = {memalign(align, size), std::aligned_alloc(align, size),
                                ::operator new(size, std::align_val_t{align})};
      for (void* const p : pointers) {
        ASSERT_NE(p, nullptr) << align;
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(p) % align, 0U);
        EXPECT_GE(malloc_usable_size(p), size);
      }
      std::free(pointers[0]);
      free_aligned_sized(pointers[1], align, size);
      ::operator delete(pointers[2], std::align_val_t{align});
    }
  }
  void* placed = nullptr;
  EXPECT_EQ(posix_memalign(&placed, 256, 100), 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(placed) % 256, 0U);
  std::free(placed);
  void* const page = valloc(1);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(page) % 4096, 0U);
  void* const pages = pvalloc(4097);
  EXPECT_GE(malloc_usable_size(pages), 8192U);
  cfree(page);
  free_sized(pages, 8192);
}

TEST(Aligned, Errors) {
  int unchanged = 0;
  void* p = &unchanged;
  errno = 77;
  const volatile std::size_t odd = 3, not_a_power = 48, huge = SIZE_MAX;
  EXPECT_EQ(posix_memalign(&p, odd, 8), EINVAL);
  EXPECT_EQ(posix_memalign(&p, 4, 8), EINVAL);
  EXPECT_EQ(posix_memalign(&p, 0, 8), EINVAL);
  EXPECT_EQ(posix_memalign(&p, 64, too_large), ENOMEM);
  EXPECT_EQ(posix_memalign(&p, 2 * gib, 8), ENOMEM);
  EXPECT_EQ(p, &unchanged);
  EXPECT_EQ(errno, 77);
  EXPECT_EQ(std::aligned_alloc(not_a_power, 96), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(memalign(2 * gib, 8), nullptr);
  EXPECT_EQ(errno, ENOMEM);
  EXPECT_EQ(memalign(huge, 8), nullptr);
}

TEST(Free, KeepsErrno) {
  for (const std::size_t size : {std::size_t{16}, 2 * mib, 100 * mib}) {
    void* const p = std::malloc(size);
    std::memset(p, 1, size);
    errno = 77;
    std::free(p);
    EXPECT_EQ(errno, 77);
  }
}

int handler_calls = 0;

TEST(New, CallsItsHandlerUntilItGivesUp) {
  handler_calls = 0;
  std::set_new_handler([] {
    if (++handler_calls == 3) {
      std::set_new_handler(nullptr);
    }
  });
  EXPECT_THROW(static_cast<void>(::operator new(too_large)), std::bad_alloc);
  EXPECT_EQ(handler_calls, 3);
  EXPECT_EQ(::operator new(too_large, std::nothrow), nullptr);
  std::set_new_handler([] { throw std::bad_alloc(); });
  EXPECT_EQ(::operator new[](too_large, std::nothrow), nullptr);
  EXPECT_EQ(::operator new(too_large, std::align_val_t{64}, std::nothrow), nullptr);
  EXPECT_THROW(static_cast<void>(::operator new[](too_large, std::align_val_t{64})),
               std::bad_alloc);
  std::set_new_handler(nullptr);
}

TEST(New, EveryFormOfDelete) {
  ::operator delete(::operator new(10));
  ::operator delete[](::operator new[](10));
  ::operator delete(::operator new(10), std::size_t{10});
  ::operator delete[](::operator new[](10), std::size_t{10});
  ::operator delete(::operator new(10, std::nothrow), std::nothrow);
  ::operator delete[](::operator new[](10, std::nothrow), std::nothrow);
  constexpr std::align_val_t align{64};
  ::operator delete(::operator new(10, align), align);
  ::operator delete[](::operator new[](10, align), align);
  ::operator delete(::operator new(10, align), std::size_t{10}, align);
  ::operator delete[](::operator new[](10, align), std::size_t{10}, align);
  ::operator delete(::operator new(10, align, std::nothrow), align, std::nothrow);
  ::operator delete[](::operator new[](10, align, std::nothrow), align, std::nothrow);
  EXPECT_EQ(strata_validate(), 1);
}

// --- Memory goes back -------------------------------------------------------------------------

TEST(Purge, ALargeBlockGoesBackAtOnce) {
  const std::size_t before = resident_bytes();
  void* const p = std::malloc(200 * mib);
  std::memset(p, 1, 200 * mib);
  EXPECT_GE(resident_bytes(), before + 190 * mib);
  std::free(p);
  EXPECT_LE(resident_bytes(), before + 2 * mib);
}

TEST(Purge, SmallItemsGoBackWithinSecondsOnTheNextMiss) {
  std::vector<void*> live(300'000);
  const std::size_t before = resident_bytes();  // the vector is there: huge pages round it up
  for (void*& p : live) {
    p = std::malloc(1000);
    std::memset(p, 1, 1000);
  }
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (i % 64 != 0) {  // most pages become free, few chunks do
      std::free(live[i]);
    }
  }
  EXPECT_GE(resident_bytes(), before + 200 * mib);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  std::free(std::malloc(5 * mib));  // a miss
  EXPECT_LE(resident_bytes(), before + 80 * mib);
  for (std::size_t i = 0; i < live.size(); i += 64) {
    std::free(live[i]);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  std::free(std::malloc(5 * mib));
  EXPECT_LE(resident_bytes(), before + 8 * mib);
}

TEST(Purge, WhatIsFreeAndDirtyStaysBelowItsBound) {
  std::vector<void*> live(4096);
  for (void*& p : live) {
    p = std::malloc(60 * kib);
    std::memset(p, 1, 60 * kib);
  }
  for (void* const p : live) {
    std::free(p);
  }
  strata_bounds bounds;
  strata_bounds_now(&bounds);
  EXPECT_LE(bounds.dirty_bytes, 16 * mib);
  strata_purge();
  strata_bounds_now(&bounds);
  EXPECT_EQ(bounds.dirty_bytes, 0U);
}

// --- Bad pointers ------------------------------------------------------------------------------

TEST(BadPointersDeathTest, AreNamedAndAbort) {
  GTEST_FLAG_SET(death_test_style, "fast");
  int local = 0;
  void* volatile foreign = &local;
  EXPECT_DEATH(std::free(foreign), "strata: pointer was not allocated here: 0x");
  char* volatile block = static_cast<char*>(std::malloc(3 * mib));
  EXPECT_DEATH(std::free(block + 4096), "not the start of an allocation.*units of 4194304 bytes");
  EXPECT_DEATH(
      {
        std::free(block);
        std::free(block);
      },
      "strata: ");
  char* volatile run = static_cast<char*>(std::malloc(3 * gib));
  EXPECT_DEATH(std::free(run + gib), "not the start of an allocation");
  EXPECT_DEATH(
      {
        std::free(run);
        std::free(run);
      },
      "memory that is not in use");
  EXPECT_DEATH(static_cast<void>(std::realloc(block + 64, 10)), "not the start of an allocation");
  EXPECT_DEATH(
      {
        std::free(block);
        (void)!std::realloc(block, 2 * mib);
      },
      "free of something already free");
  char* volatile item = static_cast<char*>(std::malloc(64));
  EXPECT_DEATH(
      {
        std::free(item);
        std::free(item);
        strata_purge();
      },
      "free of something already free.*chunk .* item ");
  EXPECT_DEATH(
      {
        std::free(item + 8);
        strata_purge();
      },
      "not the start of an allocation");
  std::free(item);
  std::free(block);
  std::free(run);
}

TEST(BadPointersDeathTest, AmongTheLastFreesAreNamedWhenTheProgramEnds) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a program of its own: forked children do not
  char* volatile item = static_cast<char*>(std::malloc(64));
  EXPECT_DEATH(
      {
        std::free(item);
        std::free(item);
        std::exit(0);
      },
      "free of something already free.*chunk .* item ");
  EXPECT_DEATH(
      {
        std::free(item + 8);
        std::exit(0);
      },
      "not the start of an allocation");
  EXPECT_EXIT(
      {
        std::free(item);
        std::exit(7);
      },
      testing::ExitedWithCode(7), "^$");
  std::free(item);
}

TEST(BadPointersDeathTest, AForkedChildDoesNotLookAtItsLastFrees) {
  GTEST_FLAG_SET(death_test_style, "fast");  // a fork and no more
  char* volatile item = static_cast<char*>(std::malloc(64));
  EXPECT_EXIT(
      {
        std::free(item);
        std::free(item);
        std::exit(7);
      },
      testing::ExitedWithCode(7), "^$");
  std::free(item);
}

TEST(Validate, OfTheWholeProcess) { EXPECT_EQ(strata_validate(), 1); }

}  // namespace
