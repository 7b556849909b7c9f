// What goes back later, when asked for, and of what is in use; what goes at once is in
// purging_at_once_test.cpp.
#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

TEST(Purging, TheRestGoesAfterADelay) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(16 * kib, 16);
  room.give({items[0], items[1], items[2], items[3], items[8]});
  room.drops();
  const std::uint64_t start = room.memory().clock_ms;
  room.memory().clock_ms = start + 999;
  room.heap().purge_if_due();
  EXPECT_TRUE(room.drops().empty());
  room.memory().clock_ms = start + 1000;
  room.heap().purge_if_due();
  EXPECT_EQ(room.drops().size(), 2U) << "the free chunk, and the pages of one item";
  EXPECT_EQ(room.dirty(), 0U);
  room.give(items[9]);
  room.memory().clock_ms = start + 1999;
  room.heap().purge_if_due();
  EXPECT_TRUE(room.drops().empty());
  room.memory().clock_ms = start + 2000;
  room.heap().purge_if_due();
  EXPECT_EQ(room.drops().size(), 1U);
  room.heap().purge_if_due();
  EXPECT_TRUE(room.drops().empty()) << "what is clean stays as it is";
}

TEST(Purging, ChunksInUseWithinTheDelayStay) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(16 * kib, 16);
  room.give({items[0], items[1], items[2], items[3], items[8]});
  const std::uint64_t start = room.memory().clock_ms;
  room.memory().clock_ms = start + 250;
  EXPECT_EQ(room.take(16 * kib), items[0]);
  room.drops();
  room.memory().clock_ms = start + 1000;
  room.heap().purge_if_due();
  const auto idle = room.drops();
  ASSERT_EQ(idle.size(), 1U) << "the first chunk was taken from 750 ms ago";
  EXPECT_EQ(idle[0].begin, items[8]);
  room.memory().clock_ms = start + 2000;
  room.heap().purge_if_due();
  const auto rest = room.drops();
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].begin, items[1]);
  EXPECT_EQ(rest[0].end, items[4]);
}

TEST(Purging, ChunksTakenFromWhileItGoesOnStay) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(32 * kib, 256);  // more chunks than one batch has
  room.give(items);
  room.drops();
  room.memory().clock_ms += 1000;
  room.memory().meanwhile = [&](std::uint64_t, std::uint64_t) {
    room.memory().clock_ms += 300;
    EXPECT_EQ(room.take(32 * kib), items[0]);
  };
  room.heap().purge_if_due();
  const auto dropped = room.drops();
  EXPECT_GE(dropped.size(), 2U);
  for (const Range& range : dropped) {
    EXPECT_GT(range.begin, items[1]) << "its chunk was taken from a moment ago";
  }
  room.give(items[0]);
}

TEST(Purging, AllGoesWhenAskedForHoweverWarm) {
  Scripted<plan::Pow2> room;
  room.give(room.take_many(16 * kib, 4));
  room.drops();
  room->purge(room->dead());
  EXPECT_EQ(room.drops().size(), 1U);
}

TEST(Purging, TheFirstMissOnlyStartsTheClock) {
  Scripted<plan::Pow2> room;
  room.books().control().purge_due_ms.store(0);
  room.memory().clock_ms = 5000;
  room.give(room.take(100));
  room.drops();
  EXPECT_EQ(room.books().control().purge_due_ms.load(), 6000U);
  room.heap().purge_if_due();
  EXPECT_TRUE(room.drops().empty());
}

TEST(Purging, NeighboursAreOneCallThatEndsBetweenHugePages) {
  for (const std::uint64_t bytes : {16 * mib, 15 * mib}) {  // no more than may stay
    Scripted<plan::Pow2> room;
    room.give(room.take_many(32 * kib, bytes / (32 * kib)));
    EXPECT_TRUE(room.drops().empty());
    room->purge(room->dead());
    const auto dropped = room.drops();
    EXPECT_EQ(dropped.size(), 4U);
    std::uint64_t end = bytes;
    for (const Range& range : dropped) {
      EXPECT_EQ(range.end, end) << "highest first";
      EXPECT_EQ(range.begin % (2 * mib), 0U);
      end = range.begin;
    }
    EXPECT_EQ(end, 0U);
  }
}

TEST(Purging, PageByPageInPartlyUsedChunks) {
  Scripted<plan::Quarter> room;
  const auto items = room.take_many(1280, 51);  // as many as a chunk holds; they straddle pages
  std::vector<std::uint64_t> freed(items.begin() + 10, items.begin() + 30);
  room.give(freed);
  room.drops();
  room->purge(room->dead());
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].begin, round_up<std::uint64_t>(10 * 1280, 4096));
  EXPECT_EQ(dropped[0].end, 30U * 1280 / 4096 * 4096);
  room->purge(room->dead());
  EXPECT_TRUE(room.drops().empty());
}

TEST(Purging, ChunksThatNothingHappenedToAreSearchedOnce) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(2 * kib, 32);  // one chunk, two a page
  for (std::size_t i = 0; i < items.size(); i += 2) {
    room.give(items[i]);
  }
  const chunk_t& chunk = room.books().chunk(0, 0);
  const auto purge = [&] {
    room.drops();
    room->purge(room->dead());
    return room.drops().size();
  };
  EXPECT_EQ(purge(), 0U) << "half of each page is in use";
  EXPECT_EQ(chunk.searched, 1U);
  EXPECT_EQ(room.take(2 * kib), items[0]);
  EXPECT_EQ(chunk.searched, 0U) << "what is taken may make pages dirty";
  EXPECT_EQ(purge(), 0U);
  EXPECT_EQ(chunk.searched, 1U);
  room.give({items[0], items[1]});
  EXPECT_EQ(chunk.searched, 0U);
  EXPECT_EQ(purge(), 1U) << "the first page";
  EXPECT_EQ(chunk.searched, 0U) << "what was held has come back";
  EXPECT_EQ(purge(), 0U);
  EXPECT_EQ(chunk.searched, 1U);
}

// Found by the state search: free chunks have one image.
TEST(Purging, AnEmptyChunkThatWasSearchedIsClosed) {
  Scripted<plan::Pow2> room(1);
  const auto items = room.take_many(32 * kib, 3);
  room.give(items[2]);
  room->purge(room->dead());
  room->purge(room->dead());
  const chunk_t& empty = room.books().chunk(0, 1);
  ASSERT_EQ(empty.searched, 1U);
  EXPECT_EQ(room->allocate(room->dead(), gib), 0U) << "which has every empty chunk closed";
  ASSERT_TRUE(room.books().free_chunks(0).test(1));
  EXPECT_EQ(empty.searched, 0U);
}

// More runs of pages than one visit to the bin takes.
TEST(Purging, PageByPageInManyChunks) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(4 * kib, 16 * 20);  // a page each, 20 chunks
  for (std::size_t i = 0; i < items.size(); i += 2) {
    room.give(items[i]);
  }
  room->purge(room->dead());
  EXPECT_EQ(room.drops().size(), items.size() / 2);
  for (std::size_t i = 1; i < items.size(); i += 2) {
    room.give(items[i]);
  }
}

TEST(Purging, ContentsThatTheSystemKeepsAreNotSaidToBeGone) {
  Scripted<plan::Pow2> room;
  const std::uint64_t block = room.take(64 * mib);
  room.memory().failures = {.pattern = 1};
  EXPECT_FALSE(room->drop_contents(room.heap().base + block, 64 * mib));
  EXPECT_TRUE(room->drop_contents(room.heap().base + block, 64 * mib));
  EXPECT_FALSE(room->drop_contents(room.heap().base + block, 32 * mib)) << "zeros are as cheap";
  const std::uint64_t decommits = room.memory().calls().decommits;
  EXPECT_TRUE(room.heap().trim(room.heap().base + block, 64 * mib, 64 * mib)) << "nothing to drop";
  EXPECT_EQ(room.memory().calls().decommits, decommits);
  room.give(block);
}

TEST(Purging, ShrinkingInPlaceGivesTheRestBack) {
  Scripted<plan::Pow2> room;
  const std::uint64_t block = room.take(8 * mib);
  const Address address = room.heap().base + block;
  room.drops();
  EXPECT_TRUE(room->resize_in_place(address, 8 * mib));
  EXPECT_TRUE(room->resize_in_place(address, 4 * mib));
  EXPECT_TRUE(room->resize_in_place(address, 2 * mib + 1));
  EXPECT_TRUE(room.drops().empty()) << "growth leaves as much";
  EXPECT_TRUE(room->resize_in_place(address, mib + 100 * kib));
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].begin, block + mib + 128 * kib);
  EXPECT_EQ(dropped[0].end, block + 8 * mib);
  EXPECT_FALSE(room->resize_in_place(address, mib)) << "an eighth: it moves";
  EXPECT_FALSE(room->resize_in_place(address, 8 * mib + 1));
  EXPECT_FALSE(room->resize_in_place(address, 100)) << "nor into an item";
  const Address item = room.heap().base + room.take(1024);
  EXPECT_TRUE(room->resize_in_place(item, 1024));
  EXPECT_TRUE(room->resize_in_place(item, 513));
  EXPECT_FALSE(room->resize_in_place(item, 512));
  EXPECT_FALSE(room->resize_in_place(item, 1025));
  const Address least = room.heap().base + room.take(16);
  EXPECT_TRUE(room->resize_in_place(least, 1));
}

TEST(Purging, ARunThatShrinksGivesTheRestBackFromAnEighthOn) {
  Scripted<plan::Pow2> room;
  const std::uint64_t run = room.take(2048 * mib);
  const Address address = room.heap().base + run;
  room.drops();
  EXPECT_TRUE(room->resize_in_place(address, 1792 * mib + 1));
  EXPECT_TRUE(room.drops().empty());
  EXPECT_TRUE(room->resize_in_place(address, 1792 * mib));
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].begin, run + 1792 * mib);
  EXPECT_EQ(dropped[0].end, run + 2048 * mib);
  EXPECT_EQ(room->usable_bytes(address), 2048 * mib) << "it stays what it is";
  room.give(run);
}

TEST(Growing, WhatHasGrownBeforeGetsTwiceTheSize) {
  Scripted<plan::Pow2> room;
  const auto usable_of = [&](std::uint64_t old, std::uint64_t size) {
    const Address address = room->allocate_grown(room->dead(), old, size).address;
    const std::uint64_t usable = address == 0 ? 0 : room->usable_bytes(address);
    room->deallocate(room->dead(), address);
    return usable;
  };
  EXPECT_EQ(usable_of(256 * kib, 300 * kib), mib);
  EXPECT_EQ(usable_of(255 * kib, 300 * kib), 512 * kib) << "too small to have grown";
  EXPECT_EQ(usable_of(512 * kib, 300 * kib), 512 * kib) << "it shrinks";
  EXPECT_EQ(usable_of(300 * kib, 300 * kib), 512 * kib);
  EXPECT_EQ(usable_of(mib, 512 * mib), gib);
  EXPECT_EQ(usable_of(mib, 512 * mib + 1), gib) << "twice that is no block";
  Scripted<plan::Pow2> full(1);
  const std::uint64_t most = full.take(900 * mib / 2);
  EXPECT_NE(most, ~std::uint64_t{0});
  const Address fits = full->allocate_grown(full->dead(), 64 * mib, 200 * mib).address;
  EXPECT_NE(fits, 0U) << "where twice the size is refused, the size itself is not";
}

// --- Meanwhile -----------------------------------------------------------------------------------

// What a purge or growth holds over a call of the system is not free: nobody gets it, and to free
// it is to free it twice.
template <class Plan>
class Held : public testing::Test {
 protected:
  // During the next call, a free of something in the range that the call is about.
  void expect_double_free(std::uint64_t offset_in_range = 0) {
    room.memory().meanwhile = [this, offset_in_range](std::uint64_t offset, std::uint64_t) {
      room.give(offset + offset_in_range);
      auto& reports = room.heap().hooks.reports;
      ASSERT_EQ(reports.size(), 1U);
      EXPECT_EQ(reports[0].problem, Problem::double_free);
      reports.clear();
      ++asked;
    };
  }
  // During the next call, an allocation: it lies elsewhere.
  void expect_elsewhere(std::uint64_t size) {
    room.memory().meanwhile = [this, size](std::uint64_t offset, std::uint64_t bytes) {
      const std::uint64_t other = room.take(size);
      EXPECT_TRUE(other + size <= offset || other >= offset + bytes) << other << " in " << offset;
      room.give(other);
      ++asked;
    };
  }
  void purge_later() {
    room.memory().clock_ms += 1000;
    room.heap().purge_if_due();
  }
  Scripted<Plan> room;
  int asked = 0;
};
using HeldTest = Held<plan::Pow2>;

TEST_F(HeldTest, ABlockThatIsPurged) {
  const auto blocks = room.take_many(mib, 3);
  room.give(blocks[1]);
  expect_double_free();
  room->purge(room->dead());
  room.give({room.take(mib), blocks[0]});  // the higher one goes first
  expect_elsewhere(mib);
  purge_later();
  EXPECT_EQ(asked, 2);
}

TEST_F(HeldTest, AChunkThatIsPurged) {
  const auto items = room.take_many(16 * kib, 12);
  room.give({items[0], items[1], items[2], items[3]});  // kept as the empty one
  room.give({items[4], items[5], items[6], items[7]});  // goes back to its region
  expect_double_free();
  room->purge(room->dead());
  room.give(room.take_many(16 * kib, 8));
  expect_elsewhere(16 * kib);
  purge_later();
  EXPECT_EQ(asked, 2);
}

TEST_F(HeldTest, PagesOfAChunkThatArePurged) {
  const auto items = room.take_many(1024, 64);
  std::vector<std::uint64_t> freed(items.begin() + 16, items.begin() + 24);
  room.give(freed);
  expect_double_free(1024);
  room->purge(room->dead());
  EXPECT_EQ(room.take(1024), items[16]);
  room.give(items[16]);
  expect_elsewhere(1024);
  purge_later();
  EXPECT_EQ(asked, 2);
}

TEST_F(HeldTest, ABlockThatIsMadeWritable) {
  (void)room.take(mib);
  expect_double_free();
  (void)room.take(mib);
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace strata::check
