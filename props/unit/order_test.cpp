// Which unit is taken, what is kept for the next time, and how far a region grows at once.
#include <set>

#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// --- Which unit
// ------------------------------------------------------------------------------------

TEST(Order, LowestUnitFirst) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(16 * kib, 80);  // 4 a chunk
  for (std::size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i], items[0] + i * 16 * kib);
  }
  // A partial chunk goes before a free one that lies lower, and of two the lower.
  room.give({items[0], items[1], items[2], items[3], items[21], items[33], items[34]});
  EXPECT_EQ(room.take(16 * kib), items[0]) << "the one empty chunk that is kept counts as partial";
  EXPECT_EQ(room.take_many(16 * kib, 3).back(), items[3]);
  EXPECT_EQ(room.take(16 * kib), items[21]);
  EXPECT_EQ(room.take(16 * kib), items[33]);
  const auto blocks = room.take_many(mib, 5);
  EXPECT_EQ(blocks[4], blocks[0] + 4 * mib);
  room.give({blocks[3], blocks[1]});
  EXPECT_EQ(room.take(mib), blocks[1]);
}

TEST(Order, LowestRegionFirst) {
  Scripted<Small> room;
  const std::uint64_t a_region = Small::region_bytes / 64;
  const auto items = room.take_many(64, 3 * a_region);
  EXPECT_EQ(Small::slot_of(items.back()), 2U);
  room.give({items[2 * a_region + 1], items[a_region + 1], items[1]});
  for (const std::uint64_t i : {std::uint64_t{1}, a_region + 1, 2 * a_region + 1}) {
    EXPECT_EQ(room.take(64), items[i]);
  }
}

TEST(Order, ItemsFromBelowRunsFromAboveBlocksBetween) {
  Scripted<plan::Pow2> room(64);
  EXPECT_EQ(room.take(64), 0U);
  EXPECT_EQ(room.take(128), plan::Pow2::region_bytes) << "each class has a region of its own";
  EXPECT_EQ(room.take(mib), 16 * gib) << "a segment from a quarter of the space on";
  EXPECT_EQ(room.take(2 * mib), 17 * gib);
  EXPECT_EQ(room.take(2 * gib), 62 * gib);
  EXPECT_EQ(room.take(gib + 1), 60 * gib);
  Scripted<plan::Pow2> few(4);
  EXPECT_EQ(few.take(mib), 0U) << "below 64 segments a slot is enough for blocks";
  EXPECT_EQ(few.take(64 * mib), gib) << "those of more than a slot take a segment";
}

// With a quarter of the slots left an unopened class of items shares a larger one's region, if its
// items are no more than four times as large; with half of them one of blocks.
TEST(Order, ScarceSlotsAreShared) {
  Scripted<plan::Quarter> room(1);  // 32 slots
  std::vector<std::uint64_t> slots;
  const auto open = [&](plan::Class cls) {
    slots.push_back(plan::Quarter::slot_of(room.take(plan::Quarter::unit_bytes(cls))));
  };
  for (plan::Class cls = plan::Quarter::item_classes; slots.size() < 16; --cls) {
    open(cls);
  }
  EXPECT_EQ(room.usable(room.take(64 * kib)), mib) << "16 of 32 are left";
  for (plan::Class cls = 18; slots.size() < 23; --cls) {
    open(cls);
  }
  EXPECT_EQ(std::set(slots.begin(), slots.end()).size(), 23U) << "each has opened its own";
  EXPECT_EQ(room.books().unused().free_slots, 8U);
  EXPECT_EQ(room.usable(room.take(64)), 256U);
  EXPECT_EQ(room.books().unused().free_slots, 8U);
  EXPECT_EQ(room.usable(room.take(48)), 48U) << "256 is too much";
  EXPECT_EQ(room.books().unused().free_slots, 7U);
  EXPECT_EQ(room.usable(room.take(plan::Quarter::unit_bytes(34))), plan::Quarter::unit_bytes(34));
}

// What is free of a much larger size is retired for items, not filled with them: 32 items of 700 B
// were served here, each from a block of 1 MiB.
TEST(Order, ItemsDoNotFillWhatIsFreeOfMuchLargerSizes) {
  Scripted<plan::Quarter> room(1, 30 * plan::Quarter::region_bytes);  // two slots
  room.give(room.take(100'000));
  (void)room.take(33);
  room.give(room.take_many(50, 100'000));
  for (const std::uint64_t item : room.take_many(700, 20'000)) {
    ASSERT_EQ(room.usable(item), 768U);
  }
}

TEST(Order, AbsentSlotsAreNotThereToBeShared) {
  Scripted<plan::Quarter> room(1, plan::Quarter::page_bytes);  // 31 slots, a quarter of them is 7
  for (plan::Class cls = 34; room.books().unused().free_slots > 7; --cls) {
    const std::uint64_t unit = plan::Quarter::unit_bytes(cls);
    EXPECT_EQ(room.usable(room.take(unit)), unit);
  }
  EXPECT_GT(room.usable(room.take(plan::Quarter::unit_bytes(8))), plan::Quarter::unit_bytes(8));
}

// --- What is kept --------------------------------------------------------------------------------

TEST(Hysteresis, ABoundaryDoesNotThrash) {
  Scripted<Small> room;
  for (const std::uint64_t size : {std::uint64_t{64}, Small::chunk_bytes}) {
    const std::uint64_t a_chunk = size < Small::chunk_bytes ? Small::chunk_bytes / size : 1;
    const std::uint64_t a_region = a_chunk * Small::chunks_per_region;
    for (const std::uint64_t full : {a_chunk, a_region}) {
      const auto live = room.take_many(size, full);
      room.give(room.take(size));  // one more: the next chunk or region is open now
      const std::uint64_t opened = room.events(Event::chunk_opened);
      const std::uint64_t regions = room.events(Event::region_opened);
      for (int i = 0; i < 10; ++i) {
        room.give(room.take(size));
      }
      EXPECT_EQ(room.events(Event::chunk_opened), opened) << size;
      EXPECT_EQ(room.events(Event::region_opened), regions) << size;
      room.give(live);
    }
  }
}

TEST(Hysteresis, OneEmptyChunkAndOneEmptyRegionStay) {
  Scripted<Small> room;
  const std::uint64_t a_region = Small::region_bytes / 64;
  room.give(room.take_many(64, 3 * a_region));
  const auto& bin = room.books().bin(Small::bin_for(64));
  EXPECT_EQ(bin.empty_chunks, 1U);
  EXPECT_EQ(bin.regions, 2U) << "the one with the empty chunk, and the empty one";
  EXPECT_EQ(bin.empty_regions, 1U);
  room.give(room.take_many(Small::chunk_bytes, 3 * Small::chunks_per_region));
  EXPECT_EQ(room.books().bin(Small::first_block).regions, 1U);
}

TEST(Growth, ThePrefixDoubles) {
  Scripted<plan::Pow2> room;
  std::vector<std::uint32_t> prefixes;
  for (std::uint32_t i = 0; i < 2 * 512; ++i) {  // two a chunk
    const std::uint32_t now = room.region(room.take(32 * kib)).writable;
    EXPECT_GE(now, i / 2 + 1);
    if (prefixes.empty() || prefixes.back() != now) {
      prefixes.push_back(now);
    }
  }
  EXPECT_EQ(prefixes, (std::vector<std::uint32_t>{16, 32, 64, 128, 192, 256, 320, 384, 448, 512}));
  EXPECT_EQ(room.memory().committed_bytes(Space::heap), 32 * mib);
}

TEST(Growth, WhereMuchIsRefusedALittleWillDo) {
  Scripted<plan::Pow2> room;
  const auto items = room.take_many(32 * kib, 32);  // the first prefix
  room.memory().failures = {.pattern = 0b1};
  EXPECT_EQ(room.take(32 * kib), items.back() + 32 * kib);
  EXPECT_EQ(room.region(0).writable, 17U);
  Scripted<plan::Pow2> other;
  other.memory().failures = {.pattern = 0b100};  // book, item map, then the prefix
  EXPECT_EQ(other.take(32 * kib), 0U);
  EXPECT_EQ(other.region(0).writable, 1U);
}

TEST(Growth, BlocksAndRunsAreCommittedExactly) {
  Scripted<plan::Pow2> room;
  const std::uint64_t block = room.take(8 * mib);
  EXPECT_EQ(room.memory().committed_bytes(Space::heap), 8 * mib);
  const std::uint64_t run = room.take(gib + 100);
  EXPECT_EQ(room.memory().committed_bytes(Space::heap), 8 * mib + gib + 64 * kib);
  EXPECT_EQ(room.usable(run), gib + 64 * kib);
  EXPECT_NE(block, run);
}

}  // namespace
}  // namespace strata::check
