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

// A small space, filled with blocks that take a slot each.
class Scarce : public testing::Test {
 protected:
  using Plan = plan::Quarter;
  std::uint64_t usable(std::uint64_t size) { return room.usable(room.take(size)); }
  std::uint32_t left() { return room.books().unused().free_slots; }
  void fill(std::uint32_t slots_left) {
    while (left() > slots_left) {
      (void)room.take(Plan::region_bytes);
    }
  }
  Scripted<Plan> room{1};  // 32 slots
};

// The fewer slots are left, the larger are the items that serve a class without a region.
TEST_F(Scarce, SlotsAreShared) {
  EXPECT_EQ(usable(4000), 4096U);
  fill(25);
  EXPECT_EQ(usable(32), 32U) << "more than three quarters are left";
  EXPECT_EQ(left(), 24U);
  EXPECT_EQ(usable(2048), 4096U) << "a region that there is";
  EXPECT_EQ(left(), 24U);
  EXPECT_EQ(usable(1000), 2048U) << "or one that others will share";
  EXPECT_EQ(usable(1100), 2048U);
  EXPECT_EQ(left(), 23U);
  fill(16);
  EXPECT_EQ(usable(300), 1280U);
  fill(8);
  EXPECT_EQ(usable(50), 512U);
  EXPECT_EQ(left(), 7U);
  EXPECT_EQ(usable(4000), 4096U) << "who has a region uses it";
  fill(0);
  EXPECT_EQ(usable(80), 512U);
}

// What they share was made for few of each: where it is full, each has its own.
TEST_F(Scarce, WhoNeedsMuchHasItsOwn) {
  fill(24);
  for (std::uint64_t i = 0; i < Plan::region_bytes / 2048; ++i) {
    ASSERT_EQ(usable(1000), 2048U);
  }
  EXPECT_EQ(usable(1000), 1024U);
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

TEST(Order, ABlockIsServedByTheLargestIfNothingElseIsLeft) {
  Scripted<plan::Pow2> room(1);
  room.give(room.take(gib));
  EXPECT_EQ(room.usable(room.take(gib / 2)), gib);
}

// In a large space blocks want a whole segment, and make do with a slot where there is none.
TEST(Order, SmallBlocksMakeDoWithASlot) {
  Scripted<plan::Pow2> room(64);
  (void)room.take(16);  // in the only segment that blocks of 1 GiB leave
  (void)room.take_many(gib, 63);
  ASSERT_EQ(room.books().unused().free_slots, 31U);
  for (const std::uint64_t block : room.take_many(mib, 32)) {
    EXPECT_EQ(room.usable(block), mib);
  }
  EXPECT_EQ(room.books().unused().free_slots, 30U) << "one for all of them";
}

TEST(Order, AbsentSlotsAreNotThereToBeShared) {
  Scripted<plan::Quarter> room(1, plan::Quarter::page_bytes);  // 31 slots, a quarter of them is 7
  while (room.books().unused().free_slots > 22) {
    (void)room.take(plan::Quarter::region_bytes);
  }
  EXPECT_EQ(room.usable(room.take(1024)), 1024U);
  EXPECT_EQ(room.usable(room.take(100)), 224U) << "three quarters are left";
}

// Something of every size, as few slots as there are.
TEST(Order, ASmallSpaceHasRoomForEverySize) {
  Scripted<plan::Quarter> room(1, 17 * plan::Quarter::region_bytes);  // 15 slots
  for (std::uint64_t size = 1; size < mib; size += size < 32 * kib ? size / 64 + 7 : size / 4) {
    ASSERT_NE(room.take(size), ~room.heap().base + 1) << size;
  }
  EXPECT_GT(room.books().unused().free_slots, 1U) << "and for something large";
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
  const auto& bin = room.books().bin(Small::class_for(64));
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

// What README's bound is measured against is what the kernel would count.
// A region with room has a prefix, what is behind that, its book and its item map. The last two lie
// side by side with those of the region before: for the kernel, they may or may not be one.
TEST(Bounds, MappingsAreThoseThatPrefixesMake) {
  Scripted<plan::Pow2> room;
  room.take(16);
  const std::uint64_t made = room.memory().mappings();
  std::uint64_t counted = room->bounds().mappings;
  for (std::uint64_t size = 32; size <= 64 * kib; size *= 2) {
    room.take(size);
    const std::uint64_t now = room->bounds().mappings;
    EXPECT_EQ(now - counted, 4U) << size;
    EXPECT_GE(now, room.memory().mappings()) << size;
    counted = now;
  }
  EXPECT_GT(room.memory().mappings(), made);
}

}  // namespace
}  // namespace strata::check
