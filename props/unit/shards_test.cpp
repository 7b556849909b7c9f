// Shards: threads take from bins and regions of their own, what is freed goes home, and what one
// shard has is the others' before memory or address space run out.
#include <algorithm>
#include <atomic>
#include <bit>
#include <set>

#include "props/support/plans.hpp"
#include "props/unit/real_allocator.hpp"
#include "props/unit/scripted.hpp"
#include "sync/ordered.hpp"

namespace strata::check {
namespace {

using Plan = SmallShards;
constexpr std::uint64_t item_bytes = 64;
constexpr std::uint64_t a_region = Plan::region_bytes / item_bytes;  // items

class Shards : public testing::Test {
 protected:
  using Room = Scripted<Plan>;

  std::uint64_t take(Room::Cache* cache, std::uint64_t size_bytes = item_bytes) {
    return room->allocate(cache, size_bytes) - room.heap().base;
  }
  std::vector<std::uint64_t> take_many(Room::Cache* cache, std::uint64_t count) {
    std::vector<std::uint64_t> offsets(count);
    std::ranges::generate(offsets, [&] { return take(cache); });
    return offsets;
  }
  void give(Room::Cache* cache, const std::vector<std::uint64_t>& offsets) {
    for (const std::uint64_t offset : offsets) {
      room->deallocate(cache, room.heap().base + offset);
    }
  }
  std::set<std::uint64_t> slots_of(const std::vector<std::uint64_t>& offsets) {
    std::set<std::uint64_t> slots;
    for (const std::uint64_t offset : offsets) {
      slots.insert(Plan::slot_of(offset));
    }
    return slots;
  }
  bin_t& bin(plan::Shard shard) {
    return room.books().bin(Plan::bin_in(shard, Plan::class_for(item_bytes)));
  }
  void finish() {
    room->detach(one);
    room->detach(other);
  }

  Room room{4};  // 16 slots
  Room::Cache* one = room->attach();
  Room::Cache* other = room->attach();
};

TEST_F(Shards, EachThreadHasRegionsOfItsOwn) {
  const auto first = take_many(one, 2 * a_region);
  const auto second = take_many(other, 2 * a_region);
  EXPECT_EQ(slots_of(first), (std::set<std::uint64_t>{0, 1}));
  EXPECT_EQ(slots_of(second), (std::set<std::uint64_t>{2, 3}));
  EXPECT_EQ(bin(0).regions, 2U);
  EXPECT_EQ(bin(1).regions, 2U);
  give(one, first);
  give(other, second);
  finish();
}

// Nothing that one thread allocates comes to lie beside what another does, whoever frees it.
TEST_F(Shards, WhatIsFreedElsewhereGoesHome) {
  const auto items = take_many(one, a_region);
  give(other, items);
  room->flush(other);
  room->flush(one);
  EXPECT_EQ(room.books().region(0).free_units + room.books().region(0).partial_chunks,
            Plan::chunks_per_region);
  EXPECT_EQ(bin(1).regions, 0U);
  const auto again = take_many(one, a_region);
  EXPECT_EQ(std::set(again.begin(), again.end()), std::set(items.begin(), items.end()));
  give(one, again);
  finish();
}

TEST_F(Shards, ASiblingsUnitsGoBeforeANewRegion) {
  const auto first = take_many(one, a_region);
  const auto second = take_many(other, a_region);
  give(one, first);
  room->flush(one);
  // All of its own are in use: before it opens another region, it takes those of slot 0.
  const auto third = take_many(other, a_region);
  EXPECT_EQ(slots_of(third), std::set<std::uint64_t>{0});
  const auto fourth = take_many(other, 1);
  EXPECT_EQ(slots_of(fourth), std::set<std::uint64_t>{3});
  for (const auto& items : {second, third, fourth}) {
    give(other, items);
  }
  finish();
}

// What is borrowed goes home when it is freed: a thread that could live on its sibling for ever
// would do so under the lock that all growth takes.
TEST_F(Shards, ABinThatBorrowsAgainAndAgainOpensARegion) {
  give(one, take_many(one, a_region));
  room->flush(one);
  for (int batches = 0; batches < 8; ++batches) {
    EXPECT_EQ(Plan::slot_of(take(other)), 0U);
    EXPECT_EQ(bin(1).borrowed, batches + 1);
    room->flush(other);
  }
  EXPECT_EQ(bin(1).regions, 0U);
  EXPECT_EQ(Plan::slot_of(take(other)), 2U);
  EXPECT_EQ(bin(1).borrowed, 0U);
  finish();
}

// ... but goes on where no region can be.
TEST_F(Shards, ABinThatCannotHaveARegionGoesOnBorrowing) {
  give(one, take_many(one, a_region));
  room->flush(one);
  const std::uint32_t writable = room.books().region(0).writable;
  room.memory().failures = {.pattern = ~std::uint64_t{0}, .repeats = true};
  for (int batches = 0; batches < 12; ++batches) {
    EXPECT_EQ(Plan::slot_of(take(other)), 0U);
    room->flush(other);
    EXPECT_EQ(room.books().region(0).writable, writable) << "what is ready goes before growth";
  }
  room.memory().failures = {};
  finish();
}

TEST_F(Shards, ABinThatHasBorrowedMoreThanItMayIsReported) {
  bin(1).borrowed = borrowed_max;
  EXPECT_TRUE(room->validate(Quiet::yes));
  ++bin(1).borrowed;
  EXPECT_THROW(room->validate(Quiet::yes), Violation);
  bin(1).borrowed = 0;
  finish();
}

// A thread has the whole of the address space, not its shard's slots alone.
TEST_F(Shards, OneThreadCanFillThemAll) {
  const std::uint64_t slots = room.heap().heap_bytes / Plan::region_bytes;
  const auto items = take_many(one, slots * a_region);
  EXPECT_EQ(slots_of(items).size(), slots);
  EXPECT_EQ(bin(0).regions, bin(1).regions);
  EXPECT_EQ(room->allocate(one, item_bytes), 0U);
  EXPECT_EQ(room->allocate(other, item_bytes), 0U);
  give(one, items);
  finish();
  EXPECT_EQ(room.take(4 * Plan::segment_bytes), 0U) << "all of it can be one run again";
  room.give(0);
}

TEST_F(Shards, GrowthThatTheSystemRefusesTakesASiblings) {
  auto items = take_many(one, a_region);
  give(one, {items[0]});
  room->flush(one);
  room.memory().failures = {.pattern = 1, .repeats = true};
  EXPECT_EQ(take(other), items[0]);
  EXPECT_EQ(take(other), ~room.heap().base + 1) << "nothing is left that is writable";
  room.memory().failures = {};
  give(other, items);
  finish();
}

TEST_F(Shards, BlocksAndSmallSpacesHaveNone) {
  EXPECT_EQ(take(one, Plan::chunk_bytes), take(other, Plan::chunk_bytes) - Plan::chunk_bytes);
  EXPECT_EQ(Plan::bin_in(1, Plan::first_block), Plan::first_block);
  finish();
}

TEST_F(Shards, APurgeReachesThemAll) {
  give(one, take_many(one, a_region));
  give(other, take_many(other, a_region));
  finish();
  EXPECT_GT(room->bounds().dirty_bytes, 0U);
  room->purge(room->dead());
  EXPECT_EQ(room->bounds().dirty_bytes, 0U);
}

TEST(ShardNumbers, AreOneForEachBin) {
  using P = plan::Malloc;
  std::set<plan::Bin> bins;
  for (plan::Class cls = 1; cls < P::bins; ++cls) {
    for (plan::Shard shard = 0; shard < (P::is_item(cls) ? 8 : 1); ++shard) {
      const plan::Bin bin = P::bin_in(shard, cls);
      EXPECT_TRUE(bins.insert(bin).second);
      EXPECT_EQ(P::class_of(bin), cls);
      EXPECT_EQ(P::shard_of(bin), shard);
      EXPECT_EQ(P::is_block(bin), P::is_block(cls));
    }
  }
  EXPECT_EQ(bins.size(), P::bins_for(8) - 1);
  EXPECT_EQ(*bins.rbegin(), P::bins_for(8) - 1);
}

// As malloc opens it: with many processors and much address space.
template <class Allocator>
std::uint32_t shards_of_space(std::uint32_t segments) {
  static Allocator allocator;
  EXPECT_TRUE(allocator.open(segments));
  const std::uint32_t shards = allocator.heap().shards();
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
  return shards;
}
TEST(ShardNumbers, FollowProcessorsAndSpace) {
  EXPECT_EQ(shards_of_space<ShardedAllocator<plan::Malloc>>(256), 8U);
  EXPECT_EQ((shards_of_space<ShardedAllocator<plan::Malloc, 8>>(256)), 8U);
  EXPECT_EQ((shards_of_space<ShardedAllocator<plan::Malloc, 7>>(256)), 1U);
  EXPECT_EQ(shards_of_space<ShardedAllocator<plan::Malloc>>(64), 8U);
  EXPECT_EQ(shards_of_space<ShardedAllocator<plan::Malloc>>(63), 1U);
  EXPECT_EQ(shards_of_space<ShardedAllocator<plan::Quarter>>(256), 1U);
  const std::uint32_t here = Linux::processors();
  EXPECT_EQ(shards_of_space<RealAllocator<plan::Malloc>>(256),
            here < 8 ? 1 : std::min(std::bit_ceil(here), 8U));
}

struct CountedDisorder {
  static void out_of_order(Rank, Rank) { ++count; }
  static inline std::atomic<std::uint32_t> count{0};
};
// Who takes every lock, as fork and validate do, keeps the order through all shards.
TEST(ShardNumbers, AreInTheOrderOfLocks) {
  using Ordered = Allocator<
      Heap<plan::Malloc, SomeProcessors<100>, OrderedSync<CountedDisorder>, RememberingHooks>>;
  static Ordered allocator;
  ASSERT_TRUE(allocator.open(256));
  ASSERT_EQ(allocator.heap().shards(), 8U);
  allocator.fork_prepare();
  allocator.fork_parent();
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  EXPECT_EQ(CountedDisorder::count, 0U);
  allocator.close();
}

}  // namespace
}  // namespace strata::check
