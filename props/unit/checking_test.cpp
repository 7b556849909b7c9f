// The hooks of the checked library: what they fill, mark, and look at.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "cache/allocator.hpp"
#include "invariants/checker.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib;

struct Keeping {
  static void report(const Report& report) { seen.push_back(report); }
  static inline std::vector<Report> seen;
};

class Checking : public testing::Test {
 protected:
  using Plan = plan::Marked<plan::Pow2>;
  using Checked = Allocator<Heap<Plan, Linux, NativeSync<false>, CheckingHooks<Keeping>>>;

  Checking() {
    Keeping::seen.clear();
    EXPECT_TRUE(checked->open(1));
  }
  ~Checking() override { checked->close(); }

  std::byte* take(std::uint64_t size) {
    return reinterpret_cast<std::byte*>(checked->allocate(Checked::dead(), size));
  }
  void give(std::byte* p) { checked->deallocate(Checked::dead(), reinterpret_cast<Address>(p)); }
  std::uint32_t slot_of(const std::byte* p) {
    return static_cast<std::uint32_t>(
        Plan::slot_of(reinterpret_cast<Address>(p) - checked->heap().base));
  }
  // Of a kind of wrong; and forgets all.
  static std::size_t seen(const char* invariant) {
    std::size_t count = 0;
    for (const Report& report : Keeping::seen) {
      count += report.invariant != nullptr && std::strcmp(report.invariant, invariant) == 0;
    }
    Keeping::seen.clear();
    return count;
  }
  static bool all_are(const std::byte* begin, std::uint64_t bytes, unsigned char value) {
    return begin[0] == std::byte{value} && std::memcmp(begin, begin + 1, bytes - 1) == 0;
  }

  std::unique_ptr<Checked> checked = std::make_unique<Checked>();
};

TEST_F(Checking, FillsWhatChangesHands) {
  for (const std::uint64_t size : {std::uint64_t{16}, 1 * kib, 32 * kib}) {
    std::byte* const item = take(size);
    EXPECT_TRUE(all_are(item, size, 0xA5)) << size;
    std::memset(item, 1, size);
    give(item);
    const std::uint64_t filled = std::min<std::uint64_t>(size, 4096);
    EXPECT_TRUE(all_are(item, filled, 0x5A)) << size;
    EXPECT_TRUE(size == filled || item[filled] == std::byte{1}) << "a page is enough";
  }
  std::byte* const block = take(64 * kib);
  EXPECT_TRUE(all_are(block, 64 * kib, 0)) << "it may be known to be zero";
  std::memset(block, 1, 64 * kib);
  give(block);
  EXPECT_TRUE(all_are(block, 4096, 0x5A));
  EXPECT_EQ(block[4096], std::byte{1});
  EXPECT_TRUE(Keeping::seen.empty());
}

TEST_F(Checking, AWildFreeWritesNothing) {
  std::byte* const item = take(1024);
  give(item + 16);
  EXPECT_TRUE(all_are(item, 1024, 0xA5));
  EXPECT_EQ(Keeping::seen.size(), 1U);
  give(item);
  std::byte* const other = take(1024);
  EXPECT_EQ(other, item);
  give(other);
  other[0] = std::byte{3};
  give(other);  // twice
  EXPECT_EQ(other[0], std::byte{3});
  EXPECT_EQ(Keeping::seen.size(), 2U);
}

TEST_F(Checking, ABadFreeOfAnItemIsSeenBeforeTheMagazine) {
  auto* const mine = checked->attach();
  auto* const other = checked->attach();
  for (const std::uint64_t size : {std::uint64_t{1}, std::uint64_t{3000}, 32 * kib}) {
    const Address item = checked->allocate(mine, size);
    const Address neighbour = checked->allocate(mine, size);
    checked->deallocate(mine, item + 8);
    checked->deallocate(mine, item);
    for (auto* const cache : {mine, other, Checked::dead()}) {
      checked->deallocate(cache, item);
    }
    checked->deallocate(other, neighbour);
    ASSERT_EQ(Keeping::seen.size(), 4U) << size;
    EXPECT_EQ(Keeping::seen[0].problem, Problem::interior_pointer);
    for (std::size_t i = 1; i < 4; ++i) {
      EXPECT_EQ(Keeping::seen[i].problem, Problem::double_free) << i;
      EXPECT_EQ(Keeping::seen[i].address, item) << i;
    }
    Keeping::seen.clear();
    EXPECT_EQ(checked->allocate(mine, size), item) << "what was freed twice is held once";
    checked->deallocate(other, item);
  }
  checked->detach(mine);
  checked->detach(other);
  EXPECT_TRUE(checked->validate(Quiet::yes));
  EXPECT_TRUE(Keeping::seen.empty()) << "and no magazine says so again";
}

TEST_F(Checking, WhatIsFreedIsNotResized) {
  auto* const mine = checked->attach();
  const Address item = checked->allocate(mine, 100);
  const Address block = checked->allocate(mine, 100 * kib);
  EXPECT_EQ(checked->usable_or_report(mine, item), 128U);
  EXPECT_EQ(checked->usable_or_report(mine, block), 128 * kib);
  ASSERT_TRUE(Keeping::seen.empty());
  checked->deallocate(mine, item);
  checked->deallocate(mine, block);
  EXPECT_EQ(checked->usable_or_report(mine, item), 0U);
  EXPECT_EQ(checked->usable_or_report(mine, block), 0U);
  checked->deallocate(mine, checked->heap().base - 8);
  ASSERT_EQ(Keeping::seen.size(), 3U);
  EXPECT_EQ(Keeping::seen[0].problem, Problem::double_free);
  EXPECT_EQ(Keeping::seen[1].problem, Problem::double_free);
  EXPECT_EQ(Keeping::seen[2].problem, Problem::foreign_pointer);
  Keeping::seen.clear();
  checked->detach(mine);
}

// Quarter's classes leave a remainder behind the last item of a chunk.
TEST_F(Checking, ThereIsNoItemInTheRemainderOfAChunk) {
  using Quarter = plan::Marked<plan::Quarter>;
  using Allocator =
      strata::Allocator<Heap<Quarter, Linux, NativeSync<false>, CheckingHooks<Keeping>>>;
  const auto quarter = std::make_unique<Allocator>();
  ASSERT_TRUE(quarter->open(1));
  const Address first = quarter->allocate(Allocator::dead(), 6 * kib);
  ASSERT_EQ(Quarter::byte_in_chunk(first), 0U);
  quarter->deallocate(Allocator::dead(), first + 10 * 6 * kib);
  ASSERT_EQ(Keeping::seen.size(), 1U);
  EXPECT_EQ(Keeping::seen[0].problem, Problem::interior_pointer);
  quarter->close();
}

TEST_F(Checking, AnItemIsHandedOutOnce) {
  std::byte* const item = take(64);
  give(item);
  const std::uint64_t offset = reinterpret_cast<Address>(item) - checked->heap().base;
  ASSERT_EQ(Plan::byte_in_chunk(offset), 0U);
  auto* const marks = checked->heap().books.marks(
      slot_of(item), static_cast<std::uint32_t>(Plan::chunk_in_region(offset)));
  EXPECT_EQ(marks[0], 0U);
  marks[0] = 1;
  EXPECT_EQ(take(64), item);
  EXPECT_EQ(seen("an item is handed out once"), 1U);
  give(item);
  EXPECT_EQ(marks[0], 0U);
}

TEST_F(Checking, LooksAtWhatAnOperationTouched) {
  std::byte* const item = take(1024);
  std::byte* const neighbour = take(1024);  // so that the chunk never seems empty
  std::byte* const block = take(mib);
  auto& books = checked->heap().books;
  const char* const counted = "free items are counted";
  ++books.of_everything().chunk(slot_of(item), 0).free_items;
  std::byte* const same = take(1024);  // of that chunk
  EXPECT_EQ(seen(counted), 1U);
  std::byte* const elsewhere = take(64);
  EXPECT_EQ(seen(counted), 0U) << "only what was touched";
  give(same);
  EXPECT_EQ(seen(counted), 1U);
  --books.of_everything().chunk(slot_of(item), 0).free_items;
  ++books.of_everything().region(slot_of(item)).partial_chunks;
  give(take(1024));
  EXPECT_EQ(seen("partial chunks are counted"), 2U) << "what its region says of chunks, too";
  --books.of_everything().region(slot_of(item)).partial_chunks;
  ++books.of_everything().region(slot_of(block)).free_units;
  give(block);
  EXPECT_EQ(seen("free blocks are counted"), 1U);
  --books.of_everything().region(slot_of(block)).free_units;
  give(item);
  give(neighbour);
  give(elsewhere);
  EXPECT_TRUE(Keeping::seen.empty());
}

TEST_F(Checking, LooksAtEverythingNowAndThen) {
  std::byte* const item = take(1024);
  std::byte* const other = take(64);
  auto& books = checked->heap().books;
  ++books.of_everything().chunk(slot_of(item), 0).free_items;
  const char* const counted = "free items are counted";
  const auto rounds_until_seen = [&](std::uint32_t period) {
    checked->heap().hooks.set_period(period);
    int rounds = 0;
    for (; rounds < 100; ++rounds) {
      std::byte* const p = take(64);
      const bool when_taken = seen(counted) > 0;
      give(p);
      const bool when_given = seen(counted) > 0;
      if (when_taken || when_given) {
        break;
      }
    }
    return rounds;
  };
  EXPECT_EQ(rounds_until_seen(0), 100) << "never";
  EXPECT_EQ(rounds_until_seen(1), 0) << "always";
  EXPECT_EQ(rounds_until_seen(20), 8) << "two events a round, and two are counted already";
  EXPECT_EQ(rounds_until_seen(20), 9);
  --books.of_everything().chunk(slot_of(item), 0).free_items;
  give(item);
  give(other);
}

// Chunks, one item of each of which goes back in one operation: as many events as are looked at.
class CheckingABatch : public Checking {
 protected:
  CheckingABatch() {
    for (std::uint64_t i = 0; i < chunks * items_per_chunk; ++i) {
      items.push_back(take(item_bytes));
    }
  }
  ~CheckingABatch() override { checked->detach(mine); }

  void give_one_of_each_chunk() {
    for (std::uint64_t c = 0; c < chunks; ++c) {
      checked->deallocate(mine, reinterpret_cast<Address>(items[c * items_per_chunk]));
    }
    checked->flush(mine);
  }
  void take_one_of_each_chunk() {
    for (std::uint64_t c = 0; c < chunks; ++c) {
      take(item_bytes);
    }
  }

  static constexpr std::uint64_t chunks = 16, item_bytes = 4 * kib;
  static constexpr std::uint64_t items_per_chunk = Plan::chunk_bytes / item_bytes;
  Checked::Cache* const mine = checked->attach();
  std::vector<std::byte*> items;
};

TEST_F(CheckingABatch, LooksAtEachChunkOfIt) {
  for (const std::uint32_t broken : {0U, 1U, 15U}) {
    chunk_t& chunk = checked->heap().books.of_everything().chunk(slot_of(items[0]), broken);
    const std::uint16_t dirty = std::exchange(chunk.dirty_pages, 1);
    give_one_of_each_chunk();
    EXPECT_EQ(seen("no used item touches a clean page"),
              std::min<std::uint32_t>(items_per_chunk - 1, Reports::capacity))
        << broken;
    chunk.dirty_pages = dirty;
    take_one_of_each_chunk();
    EXPECT_TRUE(Keeping::seen.empty());
  }
}

// The event that is due may be any of an operation's.
TEST_F(CheckingABatch, LooksAtEverythingWhenItComesToAPeriod) {
  std::byte* const elsewhere = take(64);
  std::byte* const neighbour = take(64);
  std::byte* const broken = take(1 * kib);
  ++checked->heap().books.of_everything().chunk(slot_of(broken), 0).free_items;
  checked->heap().hooks.set_period(24);
  const char* const counted = "free items are counted";
  give_one_of_each_chunk();
  EXPECT_EQ(seen(counted), 0U) << "events 1 to 16";
  give(elsewhere);
  EXPECT_EQ(seen(counted), 0U) << "event 17";
  checked->heap().hooks.set_period(0);
  take_one_of_each_chunk();
  checked->heap().hooks.set_period(24);
  give_one_of_each_chunk();
  EXPECT_EQ(seen(counted), 1U) << "events 18 to 33";
  checked->heap().hooks.set_period(0);
  --checked->heap().books.of_everything().chunk(slot_of(broken), 0).free_items;
  give(broken);
  give(neighbour);
}

}  // namespace
}  // namespace strata::check
