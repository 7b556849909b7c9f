// The edges of the heap that programs seldom come to: refused by the system, closed, foreign, full.
#include <chrono>
#include <ctime>
#include <numeric>
#include <set>
#include <thread>

#include "props/support/check_hooks.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"
#include "props/unit/room.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// --- The system's memory itself -----------------------------------------------------------------

SpaceSizes sizes_with(Space space, std::uint64_t bytes) {
  SpaceSizes sizes;
  sizes.fill(mib);
  sizes[static_cast<std::size_t>(space)] = bytes;
  return sizes;
}

TEST(LinuxMemory, ReservesAllSpacesOrNone) {
  for (const Space refused : {Space::control, Space::heap, Space::caches}) {
    Linux memory;
    EXPECT_FALSE(memory.reserve(sizes_with(refused, std::uint64_t{1} << 60), mib));
    for (std::size_t i = 0; i < space_count; ++i) {
      EXPECT_EQ(memory.base(static_cast<Space>(i)), nullptr);
    }
    EXPECT_EQ(memory.present().end, 0U);
  }
}

TEST(LinuxMemory, ABaseIsAlignedAndWhatLiesBeforeTheMappingIsAbsent) {
  for (const std::uint64_t align : {4 * kib, mib, gib}) {
    Linux memory;
    ASSERT_TRUE(memory.reserve(sizes_with(Space::heap, 8 * mib), align));
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(memory.base(Space::heap)) % align, 0U);
    EXPECT_EQ(memory.present().end - memory.present().begin, 8 * mib);
    EXPECT_LT(memory.present().begin, align);
    ASSERT_TRUE(memory.commit(Space::heap, memory.present().begin, 4 * kib));
    memory.base(Space::heap)[memory.present().begin] = std::byte{1};
    memory.release();
  }
}

TEST(LinuxMemory, RefusesWhatIsNotReserved) {
  Linux memory;
  ASSERT_TRUE(memory.reserve(sizes_with(Space::heap, mib), 4 * kib));
  constexpr std::uint64_t beyond = std::uint64_t{1} << 47;  // any address of a program
  EXPECT_FALSE(memory.commit(Space::books, beyond, 4 * kib));
  EXPECT_FALSE(memory.decommit(Space::books, beyond, 4 * kib));
  memory.release();
}

template <class Plan>
using ScriptedAllocator = Allocator<Heap<Plan, ScriptedMemory<Plan>, PlainSync, CheckHooks>>;

// --- Opening ------------------------------------------------------------------------------------

using Scripted = ScriptedAllocator<plan::Pow2>;

TEST(Opening, TriesHalfWhereTheReservationIsRefused) {
  Scripted allocator;
  allocator.heap().memory.reservations_to_refuse = 3;
  ASSERT_TRUE(allocator.open(64));
  EXPECT_EQ(allocator.bounds().heap_bytes, 8 * gib);
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

// Control is committed first, then the registry of caches: each may be refused.
TEST(Opening, ARungThatFailsHalfWayIsGivenBack) {
  for (const std::uint64_t pattern : {0b1U, 0b10U, 0b101U}) {
    Scripted allocator;
    allocator.heap().memory.failures = {.pattern = pattern};
    ASSERT_TRUE(allocator.open(64)) << pattern;
    EXPECT_LT(allocator.bounds().heap_bytes, 64 * gib) << pattern;
    EXPECT_NE(allocator.allocate(allocator.attach(), 100), 0U);
    allocator.close();
  }
}

// A system that lets a process have so much address space and no more.
struct LimitedMemory : ScriptedMemory<plan::Pow2> {
  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
    reserved_bytes = std::accumulate(sizes.begin(), sizes.end(), std::uint64_t{0});
    return ScriptedMemory::reserve(sizes, heap_align);
  }
  std::uint64_t address_space_max() const { return limit_bytes; }
  std::uint64_t limit_bytes = ~std::uint64_t{0};
  std::uint64_t reserved_bytes = 0;
};

TEST(Opening, TakesAsManyRegionsAsTheLimitAllows) {
  Allocator<Heap<plan::Pow2, LimitedMemory, PlainSync, CheckHooks>> allocator;
  LimitedMemory& memory = allocator.heap().memory;
  const auto open_within = [&](std::uint64_t bytes) {
    memory.limit_bytes = bytes;
    EXPECT_TRUE(allocator.open(4));
    EXPECT_LE(memory.reserved_bytes, bytes);
    const std::uint64_t heap_bytes = allocator.bounds().heap_bytes;
    allocator.close();
    return heap_bytes;
  };
  EXPECT_EQ(open_within(~std::uint64_t{0}), 4 * gib);
  const std::uint64_t all = memory.reserved_bytes;
  EXPECT_EQ(open_within(all), 4 * gib);
  EXPECT_EQ(open_within(all - 1), 4 * gib - plan::Pow2::region_bytes);
}

TEST(Opening, FailsWhereNothingCanBeHad) {
  Scripted allocator;
  allocator.heap().memory.failures = FailureScript::always();
  EXPECT_FALSE(allocator.open(64));
  EXPECT_FALSE(allocator.is_open());
}

TEST(Closed, EveryRequestIsRefusedAndNothingIsOurs) {
  Scripted allocator;
  EXPECT_EQ(allocator.attach(), Scripted::dead());
  for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, mib, 2 * gib}) {
    EXPECT_EQ(allocator.allocate(Scripted::dead(), size), 0U);
  }
  EXPECT_EQ(allocator.usable_bytes(16), 0U);
  EXPECT_EQ(allocator.heap().hooks.reports.size(), 0U);
}

// --- Threads ------------------------------------------------------------------------------------

TEST(Threads, BeyondTheLastSlotTheyHaveNoMagazinesButAllOfTheHeap) {
  ScriptedAllocator<Tiny> allocator;
  ASSERT_TRUE(allocator.open(2));
  std::set<decltype(allocator)::Cache*> caches;
  auto* cache = allocator.attach();
  for (; cache != allocator.dead(); cache = allocator.attach()) {
    EXPECT_TRUE(caches.insert(cache).second);
  }
  EXPECT_GE(caches.size(), 4U);
  const Address address = allocator.allocate(cache, 16);
  EXPECT_NE(address, 0U);
  allocator.deallocate(cache, address);
  allocator.detach(cache);  // nothing to do
  for (auto* const each : caches) {
    allocator.detach(each);
  }
  EXPECT_NE(allocator.attach(), allocator.dead());
  allocator.close();
}

// The system keeps what the last thread wrote: its magazines are empty all the same.
TEST(Threads, ASlotThatTheSystemDidNotDropStartsEmpty) {
  Scripted allocator;
  ASSERT_TRUE(allocator.open(2));
  auto* const first = allocator.attach();
  const Address item = allocator.allocate(first, 16);
  allocator.deallocate(first, item);
  allocator.heap().memory.failures = {.pattern = ~std::uint64_t{0}};
  allocator.detach(first);
  allocator.heap().memory.failures = {};
  auto* const second = allocator.attach();
  ASSERT_EQ(second, first);
  for (plan::Class cls = 1; cls <= plan::Pow2::item_classes; ++cls) {
    EXPECT_EQ(second->count(cls), 0U);
    EXPECT_EQ(second->pop(cls), 0U);
  }
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

// --- Addresses ----------------------------------------------------------------------------------

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
  EXPECT_EQ(cache->blocks.count(plan::Pow2::bin_for(64 * kib)), 1U) << "the cache holds it";
  EXPECT_EQ(room->usable_or_report(cache, large), 0U);
  EXPECT_EQ(room->usable_or_report(cache, small), 0U);
  EXPECT_EQ(room.take_problems(), (std::vector(2, Problem::double_free)));
  room->detach(cache);
}

TEST(Addresses, ABlocksNumberIsThatInItsRegion) {
  Scripted allocator;
  ASSERT_TRUE(allocator.open(1));  // so that regions of blocks are slots
  auto* const dead = allocator.dead();
  (void)allocator.allocate(dead, 16);  // has the first
  (void)allocator.allocate(dead, 64 * kib);
  const Address second = allocator.allocate(dead, 64 * kib);
  EXPECT_GE(second - allocator.heap().base, 32 * mib);
  EXPECT_EQ(allocator.heap().describe_pointer(Problem::double_free, second).unit, 1U);
  allocator.close();
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

// --- Growing ------------------------------------------------------------------------------------

TEST(Growing, WhereTwiceTheSizeIsRefusedTheSizeItselfIsServed) {
  Scripted allocator;
  ASSERT_TRUE(allocator.open(1));
  auto* const dead = allocator.dead();
  // Half of the space is taken: 512 MiB fit once more, 1 GiB does not.
  const Address half = allocator.allocate(dead, 512 * mib);
  const Address grown = allocator.allocate_grown(dead, 256 * mib, 300 * mib).address;
  ASSERT_NE(grown, 0U);
  EXPECT_EQ(allocator.usable_bytes(grown), 512 * mib);
  allocator.deallocate(dead, half);
  allocator.close();
  ASSERT_TRUE(allocator.open(2));
  EXPECT_EQ(allocator.usable_bytes(allocator.allocate_grown(dead, 256 * mib, 300 * mib).address),
            gib);
  allocator.close();
}

// A region of larger blocks is for all to share where slots are few, but not every region.
TEST(Growing, OnlyALiveRunIsExtendedAndOnlyUpwards) {
  Scripted allocator;
  ASSERT_TRUE(allocator.open(4));
  const Address run = allocator.allocate(Scripted::dead(), gib + 64 * kib);
  ASSERT_NE(run, 0U);
  EXPECT_TRUE(allocator.heap().extend(run, gib + 128 * kib));
  EXPECT_FALSE(allocator.heap().extend(run, gib + 64 * kib)) << "shorter";
  EXPECT_FALSE(allocator.heap().extend(run + gib, gib + 128 * kib)) << "inside of it";
  EXPECT_EQ(allocator.usable_bytes(run), gib + 128 * kib);
  allocator.deallocate(Scripted::dead(), run);
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

TEST(Growing, BlocksUseWhatIsLeftOfASmallSpace) {
  Room<plan::Pow2> room(1);
  auto* const dead = room->dead();
  for (std::uint64_t i = 0; i < 17 * 1024; ++i) {  // 17 of 32 slots
    ASSERT_NE(room->allocate(dead, 32 * kib), 0U);
  }
  std::uint64_t blocks = 0;
  while (room->allocate(dead, 64 * kib) != 0) {
    ++blocks;
  }
  EXPECT_GE(blocks, 32U + 14 * 512) << "the last 15 slots hold no more";
}

TEST(Growing, OnlyWholePagesBehindWhatIsKeptAreDropped) {
  Scripted allocator;
  ASSERT_TRUE(allocator.open(2));
  const Address block = allocator.allocate(allocator.dead(), mib);
  const std::uint64_t decommits = allocator.heap().memory.calls().decommits;
  allocator.heap().trim(block, mib - 1, mib);
  EXPECT_EQ(allocator.heap().memory.calls().decommits, decommits);
  allocator.heap().trim(block, mib / 2, mib);
  EXPECT_EQ(allocator.heap().memory.calls().decommits, decommits + 1);
  allocator.close();
}

// A free block inherited dirt in its first slot, and nothing of its second was ever writable.
TEST(Purging, ABlockEndsWhereItsSlotsAreWritable) {
  ScriptedAllocator<Small> allocator;
  ASSERT_TRUE(allocator.open(2));
  auto& heap = allocator.heap();
  using State = decltype(allocator)::Heap::State;
  using Layout = decltype(allocator)::Layout;
  const auto& records = heap.books.of_everything();
  std::uint32_t lead = 0;
  {
    const auto lock = heap.lock_segments();
    lead = Segments<State>(heap).take_segment();
  }
  const auto make_writable = [&](std::uint32_t slot, std::uint16_t chunks) {
    ASSERT_TRUE(
        heap.memory.commit(Space::heap, slot * Small::region_bytes, chunks * Small::chunk_bytes));
    records.region(slot).writable = chunks;
  };
  ASSERT_TRUE(heap.memory.commit(Space::books, lead * Layout::book_bytes, Layout::book_bytes));
  records.region(lead).books_ready = 1;
  make_writable(lead, Small::chunks_per_region);
  make_writable(lead + 1, Small::chunks_per_region);
  make_writable(lead + 2, 1);
  records.region(lead + 2).dirty = 1;
  heap.count_dirty(Small::chunk_bytes);
  const plan::Class bin = Small::bin_for(2 * Small::region_bytes);
  {
    const auto lock = heap.lock_bin(bin);
    Blocks<State>(heap, bin).open_region(lead, bin);
  }
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  EXPECT_EQ(allocator.bounds().dirty_bytes, 2 * Small::region_bytes);
  allocator.purge(allocator.dead());
  EXPECT_EQ(allocator.bounds().dirty_bytes, 0U);
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

// --- Locks --------------------------------------------------------------------------------------

TEST(Mutex, WhoeverFindsItHeldIsToldOrSleepsUntilItIsFree) {
  NativeSync<false>::Mutex mutex;
  bool locked = false;
  ASSERT_TRUE(mutex.try_lock(1, locked));
  EXPECT_TRUE(locked);
  EXPECT_FALSE(mutex.try_lock(1, locked));
  std::atomic<bool> got{false};
  std::chrono::nanoseconds busy{0};
  std::thread other([&] {
    mutex.lock(1);
    got = true;
    mutex.unlock(1);
    timespec used{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    busy = std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
  });
  constexpr std::chrono::milliseconds held{60};
  std::this_thread::sleep_for(held);
  EXPECT_FALSE(got);
  mutex.unlock(1);
  other.join();
  EXPECT_TRUE(got);
  EXPECT_LT(busy, held / 2) << "it sleeps";
}

// A heap without hooks takes a bad free without a word, and nothing changes.
TEST(NoHooksAtAll, ABadFreeChangesNothing) {
  static Allocator<Heap<plan::Pow2, Linux, NativeSync<false>, NoHooks>> allocator;
  ASSERT_TRUE(allocator.open(2));
  const Address block = allocator.allocate(allocator.dead(), mib);
  const std::uint64_t live = allocator.bounds().live_bytes;
  allocator.deallocate(allocator.dead(), block + 4096);
  EXPECT_EQ(allocator.bounds().live_bytes, live);
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

}  // namespace
}  // namespace strata::check
