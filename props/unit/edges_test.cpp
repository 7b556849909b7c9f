// The edges of the heap that programs seldom come to: refused by the system, closed, full.
#include <numeric>
#include <set>

#include "props/support/check_hooks.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"
#include "props/unit/room.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

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
  const plan::Class bin = Small::class_for(2 * Small::region_bytes);
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
