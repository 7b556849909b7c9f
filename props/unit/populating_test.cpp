// Which pages are made ready together, before their items are touched.
#include <algorithm>

#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024;

class Populating : public testing::Test {
 protected:
  using Plan = plan::Pow2;
  ~Populating() override { room.give(taken); }

  // As a magazine asks for them, and what was populated for them, from the first one's page on.
  Range take(std::uint64_t size, std::uint32_t count) {
    std::vector<Address> batch(count);
    room.memory().populated = {};
    const Taken got = room.heap().take({Plan::class_for(size), size, 1}, &*batch.end(), count);
    EXPECT_EQ(got.count, count);
    first = batch.back() - room.heap().base;
    for (const Address address : batch) {
      taken.push_back(address - room.heap().base);
    }
    const Range populated = room.memory().populated;
    const std::uint64_t page = first & ~(Plan::page_bytes - 1);
    return populated.end == 0 ? Range{} : Range{populated.begin - page, populated.end - page};
  }
  // All that was taken in [begin, end).
  void give(std::uint64_t begin, std::uint64_t end) {
    std::erase_if(taken, [&](std::uint64_t offset) {
      const bool is_inside = begin <= offset && offset < end;
      if (is_inside) {
        room.give(offset);
      }
      return is_inside;
    });
  }
  std::uint16_t dirty_pages(std::uint32_t chunk) {
    return room.books().chunk(0, chunk).dirty_pages;
  }

  Scripted<Plan> room;
  std::uint64_t first = 0;  // of the last batch
  std::vector<std::uint64_t> taken;
};

void expect_range(const Range& range, std::uint64_t begin, std::uint64_t end) {
  EXPECT_EQ(range.begin, begin);
  EXPECT_EQ(range.end, end);
}

TEST_F(Populating, PagesThatABatchReachesFirstComeByFours) {
  expect_range(take(kib, 64), 0, 0);  // a region's first chunk may be all that is used of it
  expect_range(take(kib, 16), 0, 16 * kib);
  EXPECT_EQ(dirty_pages(1), 0x000f);
  expect_range(take(kib, 18), 0, 32 * kib);
  EXPECT_EQ(dirty_pages(1), 0x0fff) << "a purge has to find them";
  expect_range(take(kib, 10), 0, 0);
  expect_range(take(kib, 16), 4 * kib, 20 * kib);
  EXPECT_EQ(dirty_pages(1), 0xffff);
}

TEST_F(Populating, WholeChunksOnceARegionFillsUp) {
  for (int chunk = 0; chunk < 16; ++chunk) {
    (void)take(kib, 64);
  }
  expect_range(take(kib, 1), 0, 64 * kib);
  EXPECT_EQ(dirty_pages(16), 0xffff);
  expect_range(take(kib, 20), 0, 0);
}

TEST_F(Populating, NotBehindTheLastItemOfAChunk) {
  Scripted<plan::Quarter> other;
  (void)other.take_many(5 * kib, 16 * 12);
  other.memory().populated = {};
  const std::uint64_t item = other.take(5 * kib);
  expect_range(other.memory().populated, item, item + 60 * kib);
}

TEST_F(Populating, NotForItemsOfWhichLittleMayBeTouched) {
  for (int chunk = 0; chunk < 16; ++chunk) {
    (void)take(8 * kib, 8);
    (void)take(4 * kib, 16);
  }
  expect_range(take(4 * kib, 16), 0, 64 * kib);
  expect_range(take(8 * kib, 8), 0, 0);
  EXPECT_EQ(room.books().chunk(0, 16).dirty_pages, 0xffff);
}

TEST_F(Populating, NotForTheFirstFewItemsOfAThread) {
  (void)take(kib, 64);
  expect_range(take(kib, 15), 0, 0);
  EXPECT_EQ(dirty_pages(1), 0x000f);
}

TEST_F(Populating, WhatIsCopiedToABlockComesInOneCall) {
  const std::uint64_t block = room.take(1024 * kib);
  room.memory().populated = {};
  room->expect_copy(room.heap().base + block, 64 * kib - 1);
  expect_range(room.memory().populated, 0, 0);
  room->expect_copy(room.heap().base + block, 100 * kib + 1);
  expect_range(room.memory().populated, block, block + 104 * kib);
  room->expect_copy(room.heap().base + block, 1024 * kib);
  expect_range(room.memory().populated, block, block + 1024 * kib);
  room.give(block);
}

TEST_F(Populating, NotOverPagesThatOthersHave) {
  (void)take(kib, 64);
  (void)take(kib, 64);
  give(68 * kib, 76 * kib);
  give(104 * kib, 108 * kib);
  room->purge(room->dead());
  EXPECT_EQ(dirty_pages(1), 0xfbf9);
  expect_range(take(kib, 16), 0, 8 * kib);  // up to the pages between, which are in use
}

TEST_F(Populating, NotWhatIsDirtyOrHasHugePages) {
  (void)take(kib, 64);
  (void)take(kib, 64);
  give(64 * kib, 80 * kib);
  expect_range(take(kib, 16), 0, 0);  // they were handed out before
  for (int i = 0; i < 20 * 1024 / 64; ++i) {
    (void)take(kib, 64);
  }
  ASSERT_EQ(room.region(first).pages, Pages::huge);
  expect_range(take(kib, 64), 0, 0);  // one fault brings all of a huge page
}

}  // namespace
}  // namespace strata::check
