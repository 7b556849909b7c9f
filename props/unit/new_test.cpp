// Every form of operator new and delete, linked with what libstrata.so is made of, and
// with libstrata.a.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <new>
#include <utility>

#include "include/strata/strata.h"

namespace {

constexpr std::size_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::size_t too_large = static_cast<std::size_t>(PTRDIFF_MAX) + 1;

void* reserve = nullptr;
int calls = 0;

// Gives the reserve back the second time that it is called.
void make_room() {
  if (++calls == 2) {
    std::free(std::exchange(reserve, nullptr));
  }
}

TEST(NewHandler, IsAskedAgainUntilThereIsRoom) {
  std::set_new_handler(make_room);
  const auto expect_room = [&](auto allocate, auto deallocate) {
    reserve = std::malloc(180 * gib);
    ASSERT_NE(reserve, nullptr);
    calls = 0;
    void* const p = allocate(80 * gib);
    EXPECT_NE(p, nullptr);
    EXPECT_EQ(calls, 2);
    deallocate(p);
  };
  expect_room([](std::size_t n) { return ::operator new(n); },
              [](void* p) { ::operator delete(p); });
  expect_room([](std::size_t n) { return ::operator new[](n); },
              [](void* p) { ::operator delete[](p); });
  expect_room([](std::size_t n) { return ::operator new(n, std::nothrow); },
              [](void* p) { ::operator delete(p, std::nothrow); });
  expect_room([](std::size_t n) { return ::operator new[](n, std::nothrow); },
              [](void* p) { ::operator delete[](p, std::nothrow); });
  constexpr std::align_val_t align{128};
  expect_room([](std::size_t n) { return ::operator new(n, align); },
              [](void* p) { ::operator delete(p, align); });
  expect_room([](std::size_t n) { return ::operator new[](n, align); },
              [](void* p) { ::operator delete[](p, align); });
  expect_room([](std::size_t n) { return ::operator new(n, align, std::nothrow); },
              [](void* p) { ::operator delete(p, align, std::nothrow); });
  expect_room([](std::size_t n) { return ::operator new[](n, align, std::nothrow); },
              [](void* p) { ::operator delete[](p, align, std::nothrow); });
  std::set_new_handler(nullptr);
}

TEST(NewHandler, WithoutOneEveryFormGivesUp) {
  EXPECT_THROW(static_cast<void>(::operator new(too_large)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(::operator new[](too_large)), std::bad_alloc);
  constexpr std::align_val_t align{64};
  EXPECT_THROW(static_cast<void>(::operator new(too_large, align)), std::bad_alloc);
  EXPECT_THROW(static_cast<void>(::operator new[](too_large, align)), std::bad_alloc);
  EXPECT_EQ(::operator new(too_large, std::nothrow), nullptr);
  EXPECT_EQ(::operator new[](too_large, std::nothrow), nullptr);
  EXPECT_EQ(::operator new(too_large, align, std::nothrow), nullptr);
  EXPECT_EQ(::operator new[](too_large, align, std::nothrow), nullptr);
}

// Every form of new gives memory of its own, aligned, and every form of delete takes it back.
TEST(New, EveryFormGivesAndTakes) {
  strata_bounds before, after;
  constexpr std::align_val_t align{256};
  constexpr std::size_t size = 40 * kib;
  void* const warm = ::operator new(size);
  strata_purge();
  strata_bounds_now(&before);
  void* const p[] = {::operator new(size),
                     ::operator new[](size),
                     ::operator new(size, std::nothrow),
                     ::operator new[](size, std::nothrow),
                     ::operator new(size, align),
                     ::operator new[](size, align),
                     ::operator new(size, align, std::nothrow),
                     ::operator new[](size, align, std::nothrow),
                     ::operator new(size),
                     ::operator new[](size),
                     ::operator new(size, align),
                     ::operator new[](size, align)};
  for (std::size_t i = 0; i < std::size(p); ++i) {
    ASSERT_NE(p[i], nullptr);
    std::memset(p[i], static_cast<int>(i), size);
  }
  for (std::size_t i = 0; i < std::size(p); ++i) {
    EXPECT_EQ(static_cast<unsigned char*>(p[i])[0], i);
  }
  ::operator delete(p[0]);
  ::operator delete[](p[1]);
  ::operator delete(p[2], std::nothrow);
  ::operator delete[](p[3], std::nothrow);
  ::operator delete(p[4], align);
  ::operator delete[](p[5], align);
  ::operator delete(p[6], align, std::nothrow);
  ::operator delete[](p[7], align, std::nothrow);
  ::operator delete(p[8], size);
  ::operator delete[](p[9], size);
  ::operator delete(p[10], size, align);
  ::operator delete[](p[11], size, align);
  strata_purge();  // magazines count as live
  strata_bounds_now(&after);
  EXPECT_EQ(after.live_bytes, before.live_bytes);
  ::operator delete(warm);
}

}  // namespace
