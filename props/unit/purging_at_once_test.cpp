// What goes back at once: what is dirty above the bound, and for what something else grows by.
#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

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

// What is dirty has to be searched for, which may take longer than to grow by a little.
TEST(Purging, SmallGrowthIsPaidForFromAQuarterOfTheBoundOn) {
  Scripted<plan::Pow2> room;
  const auto blocks = room.take_many(64 * kib, 80);  // 5 MiB
  const std::uint64_t last = room.take(64 * kib);
  room.give({blocks.begin(), blocks.begin() + 40});
  ASSERT_EQ(room.dirty(), 40 * 64 * kib);
  const std::uint64_t small = room.take(128 * kib);
  EXPECT_EQ(room.dirty(), 40 * 64 * kib) << "grown by 128 KiB, and not over 4 MiB are dirty";
  const std::uint64_t item = room.take(kib);
  EXPECT_EQ(room.dirty(), 24 * 64 * kib) << "grown by 1 MiB, and over 512 KiB are dirty";
  room.give({blocks.begin() + 40, blocks.end()});
  ASSERT_EQ(room.dirty(), 64 * 64 * kib);
  room.give(room.take(512 * kib));
  ASSERT_EQ(room.dirty(), 4 * mib + 512 * kib);
  const std::uint64_t more = room.take(256 * kib);
  EXPECT_EQ(room.dirty(), 4 * mib + 256 * kib) << "grown by 256 KiB, and over 4 MiB are dirty";
  room.give({last, small, item, more});
}

// Or a growth would cost what the heap costs: of a large one nearly all free chunks are clean, and
// dirt lies lowest.
TEST(Purging, AGrowthLooksAtSoManyFreeChunksOnly) {
  constexpr std::uint32_t region_items = 2 * plan::Pow2::chunks_per_region;
  constexpr std::uint32_t looks = Purge<ScriptedHeap<plan::Pow2>::State>::growth_looks_max;
  for (const std::uint32_t regions : {2U, looks / plan::Pow2::chunks_per_region + 2}) {
    Scripted<plan::Pow2> room;
    const auto items = room.take_many(32 * kib, regions * region_items);
    std::vector<std::uint64_t> kept, freed;
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      (i % region_items == region_items - 1 ? kept : freed).push_back(items[i]);
    }
    room.give(freed);
    room->purge(room->dead());
    room.give(room.take_many(32 * kib, 64));  // 2 MiB
    ASSERT_GT(room.dirty(), mib);
    room.drops();
    const std::uint64_t item = room.take(1024);  // the first MiB of a region
    EXPECT_EQ(room.drops().empty(), regions > 2) << regions;
    room.give(item);
    room.give(kept);
  }
}

TEST(Purging, ARegionOfBlocksLeavesEachSlotsDirtToTheSlot) {
  Scripted<Small> room(64);  // enough for regions of a whole segment: sixteen blocks in four slots
  const auto blocks = room.take_many(Small::chunk_bytes, 17);
  ASSERT_EQ(room.region(blocks[0]).cls, Small::class_for(Small::chunk_bytes));
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
  room.give_locked(locked);
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

TEST(Purging, WhatWasRefusedIsForgottenWhenAllIsPurged) {
  Scripted<plan::Pow2> room;
  const auto locked = room.take(64 * mib);
  const auto blocks = room.take_many(mib, 40);
  room.give_locked(locked);
  room->purge(room->dead());
  ASSERT_EQ(room.dirty(), 0U);
  room.give(blocks);
  EXPECT_LE(room.dirty(), 16 * mib);
}

TEST(Purging, OfChunksNoMoreIsRefusedThanWas) {
  Scripted<plan::Pow2> room;
  const auto locked = room.take_many(32 * kib, 2 * 20 * 16);  // 20 MiB
  const auto blocks = room.take_many(mib, 40);
  room.give_locked(locked);
  ASSERT_GT(room.dirty(), 16 * mib);
  room.give(blocks);
  EXPECT_LE(room.dirty(), 16 * mib + 20 * mib) << "the bound holds for the rest";
}

// Of unused slots all is refused, not just what was asked for: else each time that a little more is
// locked would begin again with refusals at every free.
TEST(Purging, OfUnusedSlotsAllIsRefused) {
  Scripted<plan::Pow2> room;
  const auto locked = room.take(gib + mib);
  auto warm = room.take_many(mib, 4);
  const auto blocks = room.take_many(mib, 20);
  room.memory().failures = FailureScript::always();
  room.give(locked);
  room.give(blocks);
  const std::uint64_t calls = room.memory().calls().decommits;
  ASSERT_GT(calls, 0U);
  for (int i = 0; i < 10; ++i) {
    room.give(warm);
    warm = room.take_many(mib, 4);
  }
  EXPECT_EQ(room.memory().calls().decommits, calls);
  room.memory().failures = {};
  room.give(warm);
}

// A run has no bin that could be warm. (It was purged as one: with the lock of the segments.)
TEST(Purging, AFreedRunGoesWhereOthersAreRefused) {
  Scripted<plan::Pow2> room;
  const auto blocks = room.take_many(mib, 20);
  const auto run = room.take(gib + mib);
  room.give_locked(blocks, run);
  EXPECT_EQ(room.dirty(), 20 * mib + gib + mib);
}

TEST(Purging, ALargestBlockIsPaidForByAll) {
  Scripted<plan::Pow2> room;
  const std::uint64_t live = room.take(gib);  // an eighth of it may be dirty
  room.give(room.take_many(mib, 100));
  ASSERT_EQ(room.dirty(), 100 * mib);
  const std::uint64_t block = room.take(gib);
  EXPECT_EQ(room.dirty(), 8 * mib) << "a 32nd of what may be: of regions that ended, too";
  room.give({live, block});
}

TEST(Purging, UnusedSlotsPayForItemsChunkByChunk) {
  Scripted<plan::Pow2> room;
  const std::uint64_t run = room.take(gib + mib);
  room.give(run);
  ASSERT_EQ(room.dirty(), 12 * mib);
  room.drops();
  const auto items = room.take_many(32 * kib, 2 * 64);  // 1 MiB, and 1, and 2 more
  EXPECT_EQ(room.dirty(), 8 * mib);
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 3U);
  EXPECT_EQ(dropped[0].begin, run + 11 * mib);
  EXPECT_EQ(dropped[1].begin, run + 10 * mib);
  EXPECT_EQ(dropped[2].begin, run + 8 * mib);
  room.give(items);
}

TEST(Purging, HugePagesOfUnusedSlotsAreNotDivided) {
  Scripted<plan::Pow2> room;
  const std::uint64_t live = room.take(gib);
  const std::uint64_t first = room.take(mib);
  room.give(room.take_many(16 * mib, 2 * 64));  // two segments, of which one ends
  const std::uint64_t dirty = room.dirty();
  ASSERT_GT(dirty, 32 * mib) << "more than what growth leaves";
  room.drops();
  const std::uint64_t block = room.take(mib);
  const auto dropped = room.drops();
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(room.region(dropped[0].begin).pages, Pages::huge);
  EXPECT_EQ(dropped[0].begin % (2 * mib), 0U);
  EXPECT_EQ(room.dirty(), dirty - 2 * mib) << "twice what was grown by";
  room.give({live, first, block});
}

}  // namespace
}  // namespace strata::check
