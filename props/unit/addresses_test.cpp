// What is known of an address, and what is reported of a bad one.
#include <set>
#include <string>

#include "props/unit/room.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

TEST(Addresses, OnlyTheStartOfAUnitHasUsableBytes) {
  Room<plan::Quarter> room;
  std::byte* const item = room.allocate(100);
  std::byte* const run = room.allocate(3 * gib);
  const auto usable = [&](std::byte* p) {
    return room->usable_bytes(reinterpret_cast<Address>(p));
  };
  int local = 0;
  EXPECT_EQ(usable(reinterpret_cast<std::byte*>(&local)), 0U);
  EXPECT_EQ(usable(item), 112U);
  EXPECT_EQ(usable(item + 16), 0U);
  std::byte* const in_chunk = room.allocate(5 * kib);
  const std::uint64_t base = room->heap().base;
  std::byte* const chunk = in_chunk - (reinterpret_cast<Address>(in_chunk) - base) % (64 * kib);
  EXPECT_EQ(usable(chunk + 11 * 5 * kib), 5 * kib);
  EXPECT_EQ(usable(chunk + 12 * 5 * kib), 0U) << "behind its last item";
  EXPECT_EQ(usable(run), 3 * gib);
  EXPECT_EQ(usable(run + 1), 0U);
  EXPECT_EQ(usable(run + 32 * mib), 0U);
  EXPECT_EQ(usable(run - 32 * mib), 0U) << "nothing was ever there";
  room.deallocate(item);
  room.deallocate(in_chunk);
  room.deallocate(run);
}

TEST(Addresses, WhatIsWrongWithAnUnknownOneIsNamed) {
  Room<plan::Pow2> room;
  std::byte* const item = room.allocate(100);
  std::byte* const run = room.allocate(3 * gib);
  int local = 0;
  const auto usable = [&](void* p) {
    return room->usable_or_report(room->dead(), reinterpret_cast<Address>(p));
  };
  EXPECT_EQ(usable(&local), 0U);
  EXPECT_FALSE(room->heap().contains(room->heap().heap_bytes)) << "the first byte behind it";
  EXPECT_EQ(usable(item + 8), 0U);
  EXPECT_EQ(usable(run - 32 * mib), 0U);
  EXPECT_EQ(room.take_problems(), (std::vector{Problem::foreign_pointer, Problem::interior_pointer,
                                               Problem::unused_region}));
  EXPECT_EQ(usable(item), 128U);
  EXPECT_EQ(usable(run), 3 * gib);
  room.deallocate(item);
  room.deallocate(run);
}

TEST(Addresses, AFreedBlockIsKnownToBooksAndCache) {
  Room<plan::Pow2> room;
  auto* const cache = room->attach();
  const Address large = room->allocate(cache, mib), small = room->allocate(cache, 64 * kib);
  EXPECT_EQ(room->usable_or_report(cache, large), mib);
  EXPECT_EQ(room->usable_or_report(cache, small), 64 * kib);
  room->deallocate(cache, large);
  room->deallocate(cache, small);
  EXPECT_EQ(cache->blocks.count(plan::Pow2::class_for(64 * kib)), 1U) << "the cache holds it";
  EXPECT_EQ(room->usable_or_report(cache, large), 0U);
  EXPECT_EQ(room->usable_or_report(cache, small), 0U);
  EXPECT_EQ(room.take_problems(), (std::vector(2, Problem::double_free)));
  room->detach(cache);
}

TEST(Addresses, ABlocksNumberIsThatInItsRegion) {
  Room<plan::Pow2> room(1);  // so that regions of blocks are slots
  auto* const dead = room->dead();
  const Address item = room->allocate(dead, 16);  // has the first
  const Address first = room->allocate(dead, 64 * kib);
  const Address second = room->allocate(dead, 64 * kib);
  EXPECT_GE(second - room->heap().base, 32 * mib);
  EXPECT_EQ(room->heap().describe_pointer(Problem::double_free, second).unit, 1U);
  for (const Address address : {item, first, second}) {
    room->deallocate(dead, address);
  }
}

TEST(Addresses, ARunHasNoUnits) {
  Room<plan::Pow2> room;
  std::byte* const run = room.allocate(2 * gib);
  const Report report = room->heap().describe_pointer(Problem::interior_pointer,
                                                      reinterpret_cast<Address>(run + gib + 1));
  EXPECT_TRUE(plan::Pow2::is_run(report.cls));
  EXPECT_EQ(report.unit_bytes, Report{}.unit_bytes);
  EXPECT_EQ(report.unit, Report{}.unit);
  EXPECT_EQ(report.item, Report{}.item);
  room.deallocate(run);
}

TEST(Addresses, TheRemainderBehindAChunksLastItemIsNoItem) {
  Room<plan::Quarter> room;
  const Address item = room->allocate(room->dead(), 40 * kib / 8);  // 12 of 5 KiB, and 4 KiB
  const Address chunk = item & ~(64 * kib - 1);
  room->deallocate(room->dead(), chunk + 12 * 5 * kib);
  EXPECT_EQ(room.take_problems(), std::vector{Problem::interior_pointer});
  room->deallocate(room->dead(), item);
}

TEST(Reports, MoreThanOneOperationCanHoldAreDroppedNotOverrun) {
  Room<plan::Pow2> room;
  std::vector<std::byte*> items;
  for (std::uint32_t i = 0; i < Reports::capacity + 6; ++i) {
    items.push_back(room.allocate(16));
  }
  for (std::byte* const item : items) {
    room->deallocate(room->dead(), reinterpret_cast<Address>(item));
  }
  Reports reports;
  std::vector<Address> again;
  for (std::byte* const item : items) {
    again.push_back(reinterpret_cast<Address>(item));
  }
  room->heap().give(again.data(), static_cast<std::uint32_t>(again.size()), reports);
  EXPECT_EQ(reports.count(), items.size());
  reports.deliver(room.hooks());
  EXPECT_EQ(room.take_problems(), std::vector(Reports::capacity, Problem::double_free));
}

TEST(Reports, EveryProblemHasATextOfItsOwn) {
  std::set<std::string> texts;
  for (const Problem problem :
       {Problem::none, Problem::foreign_pointer, Problem::unused_region, Problem::interior_pointer,
        Problem::double_free, Problem::broken_invariant, Problem::lock_order}) {
    EXPECT_TRUE(texts.insert(describe(problem)).second) << describe(problem);
  }
  EXPECT_FALSE(texts.contains(describe(static_cast<Problem>(200))));
}

// One visit to the books with pointers of every kind.
TEST(Giving, ABatchOfMixedPointersGoesToItsBins) {
  Room<plan::Pow2> room;
  int local = 0;
  Address batch[] = {room->allocate(room->dead(), 16),      room->allocate(room->dead(), 3 * gib),
                     room->allocate(room->dead(), 64),      reinterpret_cast<Address>(&local),
                     room->allocate(room->dead(), 16),      room->allocate(room->dead(), mib),
                     room->allocate(room->dead(), 64) + 16, room->allocate(room->dead(), 2 * mib)};
  const Address interior = batch[6] - 16;
  Reports reports;
  room->heap().give(batch, std::size(batch), reports);
  reports.deliver(room.hooks());
  const std::vector<Problem> problems = room.take_problems();
  EXPECT_EQ(std::multiset(problems.begin(), problems.end()),
            (std::multiset{Problem::foreign_pointer, Problem::interior_pointer}));
  room->deallocate(room->dead(), interior);
}

}  // namespace
}  // namespace strata::check
