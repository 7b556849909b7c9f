// The checker itself: books that are broken in one place are reported with the sentence that says
// so, and mended they are sound again.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "cache/allocator.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"

namespace strata::check {
namespace {

struct CollectingHooks : NoHooks {
  void report(const Report& report) { reports.push_back(report); }
  std::vector<Report> reports;
};

// Small: segments of four regions of four chunks of 256 B. One of everything is in it.
class BrokenBooks : public testing::Test {
 protected:
  using Plan = Small;
  using Allocator = strata::Allocator<Heap<Plan, ScriptedMemory<Plan>, PlainSync, CollectingHooks>>;

  BrokenBooks() {
    EXPECT_TRUE(allocator_.open(6));
    cache_ = allocator_.attach();
    // One item, an empty chunk that the bin keeps, and one that it gave back.
    std::vector<Address> items;
    for (int i = 0; i < 40; ++i) {
      items.push_back(allocator_.allocate(Allocator::dead(), 16));
    }
    item_ = slot_of(items[0]);
    for (std::size_t i = 1; i < items.size(); ++i) {
      allocator_.deallocate(Allocator::dead(), items[i]);
    }
    allocator_.deallocate(Allocator::dead(), allocator_.allocate(Allocator::dead(), 64));
    block_ = slot_of(allocator_.allocate(Allocator::dead(), 256));
    run_ = slot_of(allocator_.allocate(Allocator::dead(), Plan::segment_bytes + 1));
    held_ = allocator_.allocate(cache_, 32);
    allocator_.deallocate(cache_, held_);
  }
  ~BrokenBooks() override {
    EXPECT_TRUE(allocator_.validate(Quiet::yes)) << "mended, and still not sound";
    allocator_.close();
  }

  auto& books() { return allocator_.heap().books.of_everything(); }
  std::uint32_t slot_of(Address address) {
    return static_cast<std::uint32_t>(Plan::slot_of(address - allocator_.heap().base));
  }
  plan::Class bin_of(std::uint32_t slot) { return Plan::bin_of(books().region(slot).cls); }

  // With `place` set to another value validate() says `invariant`, of others perhaps as well.
  template <class Field, class Value>
  void expect_noticed(Field& place, Value broken, const std::string& invariant) {
    const Field sound = place;
    ASSERT_NE(sound, static_cast<Field>(broken)) << invariant << ": nothing is broken";
    place = static_cast<Field>(broken);
    expect_said(invariant);
    place = sound;
  }
  void expect_said(const std::string& invariant) {
    EXPECT_FALSE(allocator_.validate(Quiet::yes)) << invariant;
    std::vector<Report>& reports = allocator_.heap().hooks.reports;
    EXPECT_TRUE(std::ranges::any_of(reports,
                                    [&](const Report& report) {
                                      return report.problem == Problem::broken_invariant &&
                                             report.invariant == invariant;
                                    }))
        << invariant << "; instead: " << (reports.empty() ? "nothing" : reports[0].invariant);
    reports.clear();
  }

  Allocator allocator_;
  Allocator::Cache* cache_ = nullptr;
  std::uint32_t item_ = 0, block_ = 0, run_ = 0;  // slots
  Address held_ = 0;                              // in the magazine
};

TEST_F(BrokenBooks, OfAChunk) {
  chunk_t& chunk = books().chunk(item_, 0);
  expect_noticed(chunk.free_items, chunk.free_items + 1, "free items are counted");
  expect_noticed(chunk.free_items, 0, "a chunk with free items is partial");
  expect_noticed(chunk.dirty_pages, 0, "no used item touches a clean page");
  expect_noticed(chunk.held_pages, 1, "no page is held: the purge lock is free");
  expect_noticed(chunk.summary, 0, "the item map's summary");
  expect_noticed(books().chunk(item_, 2).free_items, 1, "a free chunk's item map is empty");
}

TEST_F(BrokenBooks, OfARegion) {
  region_t& region = books().region(item_);
  expect_noticed(region.free_units, region.free_units + 1, "free chunks are counted");
  expect_noticed(region.partial_chunks, 0, "partial chunks are counted");
  expect_noticed(region.books_ready, 0, "a used region's books are writable");
  expect_noticed(region.dirty, 1, "a used slot's dirt is in its region's books");
  expect_noticed(region.writable, 9, "a writable prefix ends in its slot");
  expect_noticed(region.next, item_, "a bin's list ends");
  expect_noticed(region.cls, 255, "a class byte names a class");
  const plan::Class other = bin_of(item_) + 1;
  expect_noticed(region.cls, other, "class_of_region publishes the class");
}

TEST_F(BrokenBooks, OfARegionsSets) {
  auto free = books().free_chunks(item_);
  ASSERT_TRUE(free.take(3));
  expect_said("free chunks are counted");
  ASSERT_TRUE(free.put(3));
  ASSERT_TRUE(free.put(0));
  expect_said("a chunk is free or partial, not both");
  ASSERT_TRUE(free.take(0));
  auto partial = books().partial_chunks(item_);
  region_t& region = books().region(item_);
  const std::uint16_t writable = std::exchange(region.writable, std::uint16_t{0});
  expect_said("beyond the writable prefix all is free");
  region.writable = writable;
  ASSERT_TRUE(partial.test(0));
}

TEST_F(BrokenBooks, OfBlocks) {
  const std::uint32_t lead = block_;
  region_t& region = books().region(lead);
  expect_noticed(region.free_units, region.free_units - 1, "free blocks are counted");
  expect_noticed(region.partial_chunks, 1, "a block region has no chunks");
  expect_noticed(region.span_writable, 0, "the span's writable prefix is that of its slots");
  expect_noticed(region.span_writable, 0, "a used block is writable");
  expect_noticed(region.purged_block, 1, "no block is held: the purge lock is free");
  auto dirty = books().dirty_blocks(lead);
  ASSERT_TRUE(dirty.take(0));
  expect_said("a used block is marked dirty");
  ASSERT_TRUE(dirty.put(0));
}

TEST_F(BrokenBooks, OfRuns) {
  region_t& region = books().region(run_);
  expect_noticed(region.run_units, 0, "a run has a length");
  expect_noticed(region.writable, 0, "a run is writable to its end");
  expect_noticed(region.dirty, 1, "a run keeps the dirt past its end on record");
  expect_noticed(books().region(run_ + 1).run_units, 1, "a run has one record");
  expect_noticed(books().region(run_ + 1).cls, 0, "all slots of a region have its class");
}

TEST_F(BrokenBooks, OfUnusedSlots) {
  region_t& region = books().region(run_ - 1);
  ASSERT_EQ(region.cls, Plan::unused);
  expect_noticed(region.dirty, 1, "dirt lies in the writable prefix");
  expect_noticed(region.next, 1, "the record of an unused slot is empty");
  expect_noticed(region.run_units, 1, "the record of an unused slot is empty");
  expect_noticed(books().control().first_slot, item_ + 1, "an absent slot is not used");
}

TEST_F(BrokenBooks, OfBins) {
  bin_t& bin = books().bin(bin_of(item_));
  expect_noticed(bin.regions, 7, "a bin's regions are counted");
  expect_noticed(bin.empty_regions, 1, "a bin keeps one empty region at most");
  expect_noticed(bin.empty_chunks, 3, "a bin keeps one empty chunk at most");
  expect_noticed(bin.head, no_index, "a bin's list is its set in address order");
  auto regions = books().bin_regions(bin_of(item_));
  ASSERT_TRUE(regions.take(item_));
  expect_said("a bin's set holds its regions with room");
  ASSERT_TRUE(regions.put(item_));
  ASSERT_TRUE(regions.put(run_));
  expect_said("a bin's set holds nothing else");
  ASSERT_TRUE(regions.take(run_));
}

TEST_F(BrokenBooks, OfSegments) {
  const std::uint32_t segment = item_ / Plan::regions_per_segment;
  expect_noticed(books().segment_free(segment), 0xF, "a segment's map shows its unused slots");
  expect_noticed(books().segment_used(segment), 0, "used slots are counted");
  unused_t& unused = books().unused();
  expect_noticed(unused.free_slots, 0, "unused slots are counted");
  expect_noticed(unused.dirty_slots, 99, "dirty unused slots are counted");
  expect_noticed(unused.segment_head, 0xFFFF, "the segment list is in address order");
}

TEST_F(BrokenBooks, OfTheWhole) {
  auto& control = books().control();
  control.live_bytes.fetch_add(16, std::memory_order_relaxed);
  expect_said("live_bytes counts what is used");
  control.live_bytes.fetch_sub(16, std::memory_order_relaxed);
  control.dirty_bytes.fetch_add(16, std::memory_order_relaxed);
  expect_said("dirty_bytes counts what is free and dirty");
  control.dirty_bytes.fetch_sub(16, std::memory_order_relaxed);
}

TEST_F(BrokenBooks, OfAMagazine) {
  const plan::Class cls = bin_of(slot_of(held_));
  Address& top = cache_->pointers(cls)[cache_->count(cls) - 1];
  expect_noticed(top, top + 8, "a held unit is used, of its class, and not free");
  expect_noticed(top, 16, "a held unit is used, of its class, and not free");
  if (cache_->count(cls) > 1) {
    expect_noticed(top, cache_->pointers(cls)[0], "a unit is held once");
  }
}

}  // namespace
}  // namespace strata::check
