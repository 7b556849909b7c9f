// What a thread holds, and what becomes of it when the thread ends or forks.
#include "abi/hit_path.hpp"
#include "props/unit/scripted.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024;

// --- What a thread holds -------------------------------------------------------------------------

template <class Plan>
class MagazineTest : public testing::Test {};
using Plans = testing::Types<plan::Pow2, plan::Quarter>;
TYPED_TEST_SUITE(MagazineTest, Plans);

TYPED_TEST(MagazineTest, RefillsDouble) {
  Scripted<TypeParam> room;
  auto* const cache = room->attach();
  const plan::Class cls = TypeParam::class_for(64);
  Address last = 0;
  for (const std::uint32_t batch : {8U, 16U, 32U, 64U, 128U, 256U, 256U}) {
    ASSERT_EQ(cache->count(cls), 0U);
    for (std::uint32_t i = 0; i < batch; ++i) {
      const Address next = room->allocate(cache, 64);
      EXPECT_EQ(cache->count(cls), batch - 1 - i);
      EXPECT_EQ(next, last == 0 ? next : last + 64) << "lowest first";
      last = next;
    }
  }
  room->detach(cache);
}

TYPED_TEST(MagazineTest, HoldsAtMostItsBound) {
  using Limits = Magazines<TypeParam>;
  std::uint64_t all = 0;
  for (plan::Class cls = 1; cls <= TypeParam::item_classes; ++cls) {
    const std::uint64_t unit = TypeParam::unit_bytes(cls);
    EXPECT_EQ(Limits::capacity(cls), std::min<std::uint64_t>(64 * kib / unit, 511)) << unit;
    all += Limits::capacity(cls) * unit;
    Scripted<TypeParam> room;
    auto* const cache = room->attach();
    std::vector<Address> live;
    for (std::uint32_t i = 0; i < 2 * Limits::capacity(cls) + 2; ++i) {
      live.push_back(room->allocate(cache, unit));
    }
    room->detach(cache);
    auto* const other = room->attach();
    std::uint32_t most = 0;
    for (const Address address : live) {
      room->deallocate(other, address);
      most = std::max(most, other->count(cls));
      EXPECT_LE(other->limit(cls), Limits::capacity(cls));
    }
    EXPECT_EQ(most, Limits::capacity(cls)) << unit;
    room->detach(other);
  }
  EXPECT_EQ(Limits::thread_bytes_max(), all + BlockMagazines<TypeParam>::held_bytes_max());
}

// Only a request that fails without them gets to what a thread holds.
TYPED_TEST(MagazineTest, ABlockOrARunLeavesItAlone) {
  Scripted<TypeParam> room;
  auto* const cache = room->attach();
  const Address item = room->allocate(cache, 64);
  const std::uint32_t held = cache->count(TypeParam::class_for(64));
  ASSERT_GT(held, 0U);
  for (const std::uint64_t size : {TypeParam::chunk_bytes, TypeParam::segment_bytes + 1}) {
    const Address large = room->allocate(cache, size);
    EXPECT_NE(large, 0U);
    EXPECT_EQ(cache->count(TypeParam::class_for(64)), held) << size;
    room->deallocate(cache, large);
  }
  room->deallocate(cache, item);
  room->detach(cache);
}

// Nor is it given back where a larger class has something ready.
TYPED_TEST(MagazineTest, AnItemOfALargerClassLeavesItAlone) {
  Scripted<TypeParam> room;
  auto* const cache = room->attach();
  const Address item = room->allocate(cache, 64);
  const std::uint32_t held = cache->count(TypeParam::class_for(64));
  const Address larger = room->allocate(room->dead(), 2048);
  room.memory().failures = FailureScript::always();
  const Address other = room->allocate(cache, 1024);
  EXPECT_EQ(room->usable_bytes(other), 2048U);
  EXPECT_EQ(cache->count(TypeParam::class_for(64)), held);
  room.memory().failures = {};
  for (const Address address : {item, larger, other}) {
    room->deallocate(cache, address);
  }
  room->detach(cache);
}

// The last attempt finds a batch, as any miss does: the next one would cost as much again.
TYPED_TEST(MagazineTest, IsFilledByTheLastAttemptToo) {
  Scripted<TypeParam> room;
  auto* const cache = room->attach();
  room->deallocate(cache, room->allocate(cache, 64));
  ASSERT_GT(cache->count(TypeParam::class_for(64)), 0U);
  room.memory().failures = FailureScript::always();
  const Address item = room->allocate(cache, 1024);
  EXPECT_EQ(room->usable_bytes(item), 1024U) << "in the slot that those of 64 bytes have left";
  EXPECT_EQ(cache->count(TypeParam::class_for(64)), 0U);
  EXPECT_GT(cache->count(TypeParam::class_for(1024)), 0U);
  room.memory().failures = {};
  room->deallocate(cache, item);
  room->detach(cache);
}

TYPED_TEST(MagazineTest, AFullOneGivesItsOlderHalfBack) {
  Scripted<TypeParam> room;
  auto* const cache = room->attach();
  const plan::Class cls = TypeParam::class_for(1024);  // 64 fit
  std::vector<Address> live;
  for (int i = 0; i < 65; ++i) {
    live.push_back(room->allocate(room->dead(), 1024));
  }
  for (const Address address : live) {
    room->deallocate(cache, address);
  }
  EXPECT_EQ(cache->count(cls), 33U);
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(room.heap().looks_live(live[i]), i >= 32) << i;
  }
  EXPECT_EQ(room->allocate(cache, 1024), live[64]) << "the newest comes out first";
  EXPECT_EQ(room->allocate(cache, 1024), live[63]);
  room->deallocate(cache, live[64]);
  room->deallocate(cache, live[63]);
  room->detach(cache);
}

// The clock costs as much as a pop.
TEST(BlockMagazines, OneOfManyPopsLooksAtTheClock) {
  BlockMagazines<plan::Pow2> blocks{};
  std::uint32_t looks = 0;
  for (std::uint32_t i = 0; i < 10 * blocks.pops_per_look; ++i) {
    looks += blocks.is_time_to_purge() ? 1 : 0;
  }
  EXPECT_EQ(looks, 10U);
}

// What malloc_inline and free_inline ask of a process, with their ways out counted.
struct CountedProcess {
  using Room = Scripted<plan::Pow2>;

  static Room::AllocatorT& allocator() { return *room->operator->(); }
  static Room::Cache* cache() { return held; }
  static void* malloc_miss(std::size_t size_bytes) {
    ++malloc_misses;
    return reinterpret_cast<void*>(allocator().allocate(held, size_bytes));
  }
  static void free_miss(void* pointer) {
    ++free_misses;
    allocator().deallocate(held, reinterpret_cast<Address>(pointer));
  }

  static inline Room* room = nullptr;
  static inline Room::Cache* held = nullptr;
  static inline int malloc_misses = 0, free_misses = 0;
};

TEST(HitPath, OnlyTheFirstOfManyPairsMisses) {
  CountedProcess::Room room;
  CountedProcess::room = &room;
  CountedProcess::held = room->attach();
  for (int i = 0; i < 100; ++i) {
    void* const pointer = malloc_inline<CountedProcess>(64);
    ASSERT_NE(pointer, nullptr);
    free_inline<CountedProcess>(pointer);
  }
  EXPECT_EQ(CountedProcess::malloc_misses, 1);
  EXPECT_EQ(CountedProcess::free_misses, 0);
  room->detach(CountedProcess::held);
}

TEST(Caches, LowestSlotFirstAndPagesGoBack) {
  Scripted<plan::Pow2> room;
  using Cache = Scripted<plan::Pow2>::Cache;
  const std::uint64_t before = room.memory().committed_bytes(Space::caches);
  Cache* const a = room->attach();
  const std::uint64_t one = room.memory().committed_bytes(Space::caches) - before;
  EXPECT_EQ(one, round_up<std::uint64_t>(Cache::bytes(), 4096));
  Cache* const b = room->attach();
  Cache* const c = room->attach();
  EXPECT_EQ(reinterpret_cast<std::byte*>(b) - reinterpret_cast<std::byte*>(a),
            static_cast<std::ptrdiff_t>(one));
  EXPECT_EQ(room.memory().committed_bytes(Space::caches) - before, 3 * one);
  room->deallocate(b, room->allocate(b, 64));
  room.drops();
  room->detach(b);
  EXPECT_TRUE(room.drops(Space::caches).empty()) << "a low slot stays warm";
  room->purge(a);
  const auto dropped = room.drops(Space::caches);
  ASSERT_EQ(dropped.size(), 1U);
  EXPECT_EQ(dropped[0].end - dropped[0].begin, one);
  EXPECT_EQ(room->attach(), b);
  EXPECT_EQ(b->count(plan::Pow2::class_for(64)), 0U);
  EXPECT_EQ(room.memory().committed_bytes(Space::caches) - before, 3 * one);
  for (Cache* const cache : {a, b, c}) {
    room->detach(cache);
  }
  EXPECT_TRUE(room.drops(Space::caches).empty());
  room->purge(room->dead());
  EXPECT_EQ(room.drops(Space::caches).size(), 3U) << "the very first thread's too";
}

TEST(Caches, WithoutRoomAThreadUsesTheDeadOne) {
  Scripted<Small> room;
  std::vector<Scripted<Small>::Cache*> caches;
  for (int i = 0; i < 4; ++i) {
    caches.push_back(room->attach());
    EXPECT_TRUE(caches.back()->has_magazines());
  }
  EXPECT_EQ(room->attach(), room->dead()) << "a small space has four";
  EXPECT_EQ(room->allocate(room->dead(), 16) != 0, true);
  for (auto* const cache : caches) {
    room->detach(cache);
  }
  Scripted<Small> refusing;
  refusing.memory().failures = {.pattern = 1};
  EXPECT_EQ(refusing->attach(), refusing->dead());
  auto* const cache = refusing->attach();
  EXPECT_TRUE(cache->has_magazines()) << "a refusal is only for now";
  refusing->detach(cache);
}

TEST(Caches, AForkedChildKeepsItsOwn) {
  Scripted<plan::Pow2> room;
  auto* const gone = room->attach();
  auto* const mine = room->attach();
  auto* const last = room->attach();
  const Address kept = room->allocate(mine, 64);
  (void)room->allocate(gone, 64);
  const Address block = room->allocate(gone, 64 * kib);
  room->deallocate(gone, block);  // it holds that, too
  room->fork_prepare();
  EXPECT_FALSE(PlainMutex::held().empty());
  room->fork_child(mine);
  EXPECT_TRUE(PlainMutex::held().empty());
  EXPECT_GT(mine->count(plan::Pow2::class_for(64)), 0U);
  EXPECT_EQ(room->attach(), gone) << "the caches of vanished threads are free";
  EXPECT_EQ(gone->count(plan::Pow2::class_for(64)), 0U);
  EXPECT_FALSE(gone->blocks.contains(plan::Pow2::class_for(64 * kib), block));
  EXPECT_EQ(room->attach(), last);
  room->fork_prepare();
  room->fork_parent();
  EXPECT_TRUE(PlainMutex::held().empty());
  room->deallocate(mine, kept);
  for (auto* const cache : {gone, mine, last}) {
    room->detach(cache);
  }
}

}  // namespace
}  // namespace strata::check
