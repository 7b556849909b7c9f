// When memory goes back.
#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// --- When memory goes back -----------------------------------------------------------------------

TEST(Purging, ManyDirtyBytesGoAtOnceAndAQuarterMore) {
  Scripted<plan::Pow2> room;
  const auto blocks = room.take_many(mib, 40);
  for (const std::uint64_t block : blocks) {
    room.give(block);
    EXPECT_LE(room.dirty(), 16 * mib);
  }
  EXPECT_GE(room.dirty(), 12 * mib) << "the rest may serve again";
  std::uint64_t dropped = 0;
  for (const Range& range : room.drops()) {
    dropped += range.end - range.begin;
  }
  EXPECT_GE(dropped + room.dirty(), 40 * mib) << "a slot is dirty up to its last dirty chunk";
}

TEST(Purging, WhatAThreadHeldCountsWhenItEnds) {
  Scripted<plan::Pow2> room;
  auto* const cache = room->attach();
  std::vector<Address> held;
  for (int i = 0; i < 4; ++i) {
    held.push_back(room->allocate(cache, 512 * kib));
  }
  for (const Address block : held) {
    room->deallocate(cache, block);
  }
  room.give(room.take_many(512 * kib, 32));
  ASSERT_EQ(room.dirty(), 16 * mib) << "all that there may be";
  ASSERT_GT(room.books().control().live_bytes.load(), 0U) << "in the thread's magazine";
  room->detach(cache);
  EXPECT_LE(room.dirty(), 16 * mib);
}

TEST(Purging, MuchLiveMemoryAllowsForMoreDirt) {
  Scripted<plan::Pow2> room;
  const std::uint64_t live = room.take(256 * mib);
  const auto blocks = room.take_many(mib, 60);
  room.give(blocks);
  EXPECT_LE(room.dirty(), 32 * mib) << "an eighth of what is live";
  EXPECT_GE(room.dirty(), 24 * mib);
  room.give(live);
  EXPECT_EQ(room.dirty(), 0U) << "that one is all there is left to give back, and is one unit";
}

TEST(Purging, OtherSizesFirstAndHighestFirst) {
  Scripted<plan::Pow2> room;
  const auto warm = room.take_many(64 * kib, 8);
  const auto cold = room.take_many(mib, 17);
  room.give(warm);  // half a mebibyte
  room.drops();
  std::vector<std::uint64_t> first(cold.begin(), cold.begin() + 15);
  room.give(first);
  EXPECT_TRUE(room.drops().empty());
  // Over the bound by a put of the small size: the others go, from above.
  const auto more = room.take_many(64 * kib, 17);
  room.give(more);
  const auto dropped = room.drops();
  ASSERT_FALSE(dropped.empty());
  EXPECT_EQ(dropped[0].begin, first.back());
  room.give(cold[15]);
  room.give(cold[16]);
}

TEST(Purging, WhatOneSizeGrowsByOthersGiveBack) {
  Scripted<plan::Pow2> room;
  const auto cold = room.take_many(32 * kib, 2 * 80);  // 5 MiB
  const std::uint64_t small = room.take(mib);
  const std::uint64_t large = room.take(8 * mib);
  room.give({small, large});
  room.give(cold);
  EXPECT_EQ(room.dirty(), 14 * mib - 64 * kib) << "one chunk is kept as the bin's empty one";
  EXPECT_TRUE(room.drops().empty());
  const auto items = room.take_many(kib, 1024);  // the first MiB of its region
  EXPECT_EQ(room.dirty(), 13 * mib - 64 * kib);
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].begin, small) << "the largest that is no larger";
  const auto more = room.take_many(kib, 15 * 1024);
  EXPECT_EQ(room.dirty(), 8 * mib) << "a larger block does not pay for what is small";
  for (const Range& range : room.drops()) {
    EXPECT_TRUE(range.end <= large || range.begin >= large + 8 * mib);
  }
  room.give(more);
  room.give(items);
}

TEST(Purging, ARegionOfBlocksLeavesEachSlotsDirtToTheSlot) {
  Scripted<Small> room(64);  // enough for regions of a whole segment: sixteen blocks in four slots
  const auto blocks = room.take_many(Small::chunk_bytes, 17);
  ASSERT_EQ(room.region(blocks[0]).cls, Small::bin_for(Small::chunk_bytes));
  room.give({blocks.begin() + 5, blocks.begin() + 16});
  room->purge(room->dead());
  room.give(blocks[16]);  // alone in the empty region that stays
  room.give({blocks.begin(), blocks.begin() + 5});
  ASSERT_EQ(room.region(blocks[0]).cls, Small::unused);
  for (const auto& [first, dirty] : {std::pair{0U, 4U}, {4U, 1U}, {8U, 0U}, {12U, 0U}}) {
    EXPECT_EQ(room.region(blocks[first]).writable, 4U);
    EXPECT_EQ(room.region(blocks[first]).dirty, dirty) << first;
  }
}

TEST(Purging, UnusedSlotsBeforeAll) {
  Scripted<plan::Pow2> room;
  const auto run = room.take(gib + mib);
  const auto blocks = room.take_many(mib, 4);
  room.give(blocks);
  room.drops();
  room.give(run);
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 33U) << "each slot of it, and no block";
  EXPECT_EQ(dropped[0].begin, run + gib);
  EXPECT_EQ(dropped[0].end, run + gib + mib) << "what was written of the last";
  EXPECT_EQ(dropped[32].begin, run + 8 * mib) << "no more of the lowest than has to go";
  EXPECT_EQ(dropped[32].end, run + 32 * mib);
  EXPECT_EQ(room.dirty(), 12 * mib);
}

// Memory that the program has locked cannot be dropped. What is over the bound for that reason does
// not make a purge of everything else out of each further free.
TEST(Purging, WhatTheSystemRefusesIsNotAskedForAtEveryFree) {
  Scripted<plan::Pow2> room;
  const auto locked = room.take(64 * mib);
  const auto warm = room.take_many(mib, 4);
  room.memory().failures = {.pattern = ~std::uint64_t{0}, .repeats = true};
  room.give(locked);
  EXPECT_GT(room.memory().calls().refused, 0U);
  room.memory().failures = {};
  const std::uint64_t calls = room.memory().calls().decommits;
  for (int i = 0; i < 10; ++i) {
    room.give(warm);
    EXPECT_EQ(room.take_many(mib, 4), warm);
  }
  EXPECT_EQ(room.memory().calls().decommits, calls);
  EXPECT_EQ(room.dirty(), 64 * mib);
  const auto more = room.take_many(mib, 17);
  room.give(more);
  EXPECT_LE(room.dirty(), 16 * mib + 64 * mib) << "the bound holds for the rest";
  room.memory().clock_ms += 1000;
  room.heap().purge_if_due();
  EXPECT_EQ(room.dirty(), 0U) << "and is forgotten at the next delayed purge";
  room.give(warm);
}

// A run has no bin that could be warm. (It was purged as one: with the lock of the segments.)
TEST(Purging, AFreedRunGoesWhereOthersAreRefused) {
  Scripted<plan::Pow2> room;
  const auto blocks = room.take_many(mib, 20);
  const auto run = room.take(gib + mib);
  room.memory().failures = {.pattern = ~std::uint64_t{0}, .repeats = true};
  room.give(blocks);
  room.give(run);
  room.memory().failures = {};
  EXPECT_EQ(room.dirty(), 20 * mib + gib + mib);
}

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
  room.memory().clock_ms = start + 500;
  EXPECT_EQ(room.take(16 * kib), items[0]);
  room.drops();
  room.memory().clock_ms = start + 1000;
  room.heap().purge_if_due();
  const auto idle = room.drops();
  ASSERT_EQ(idle.size(), 1U) << "the first chunk was taken from half a second ago";
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

TEST(Purging, ALargestBlockIsPaidForByAll) {
  Scripted<plan::Pow2> room;
  const std::uint64_t live = room.take(gib);  // an eighth of it may be dirty
  room.give(room.take_many(mib, 100));
  ASSERT_EQ(room.dirty(), 100 * mib);
  const std::uint64_t block = room.take(gib);
  EXPECT_EQ(room.dirty(), 64 * mib) << "a quarter of what may be: of regions that ended, too";
  room.give({live, block});
}

TEST(Purging, RegionsThatEndedPayForItemsChunkByChunk) {
  Scripted<plan::Pow2> room;
  room.give(room.take_many(mib, 16));
  ASSERT_EQ(room.dirty(), 16 * mib);
  const auto items = room.take_many(32 * kib, 2 * 64);  // 64 chunks of new pages
  EXPECT_EQ(room.dirty(), 12 * mib);
  room.give(items);
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
