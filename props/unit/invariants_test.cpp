// The checker checked: each invariant of invariants/validate.hpp and invariants/validate_region.hpp
// is broken by hand in sound books, and must then be the one that is named.
#include "props/unit/validation.hpp"

namespace strata::check {
namespace {

using Plan = plan::Pow2;
constexpr std::uint64_t kib = 1024;

TEST_F(Validation, Counts) {
  auto& control = books().control();
  unused_t& unused = books().unused();
  expect_named("live_bytes counts what is used", 0, [&] { control.live_bytes.fetch_add(1); });
  expect_named("dirty_bytes counts what is free and dirty", 0,
               [&] { control.dirty_bytes.fetch_add(1); });
  expect_named("unused slots are counted", 0, [&] { ++unused.free_slots; });
  expect_named("dirty unused slots are counted", 0, [&] { ++unused.dirty_slots; });
  expect_named("free chunks are counted", slot, [&] { ++region(slot).free_units; });
  expect_named("partial chunks are counted", slot, [&] { ++region(slot).partial_chunks; });
  expect_named("free items are counted", slot, [&] { ++books().chunk(slot, 1).free_items; });
  expect_named("free blocks are counted", block_slot, [&] { ++region(block_slot).free_units; });
  expect_named("a bin's regions are counted", 0, [&] { ++bin(cls).regions; });
  expect_named("a bin keeps one empty region at most", 0, [&] { ++bin(cls).empty_regions; });
  expect_named("a bin keeps one empty chunk at most", 0, [&] { ++bin(cls).empty_chunks; });
  expect_named("used slots are counted", 0, [&] { ++books().segment_used(0); });
}

TEST_F(Validation, MoreThanOneEmptyIsKept) {
  // What the bin says agrees with what there is: that there are two is what is wrong.
  expect_named("a bin keeps one empty chunk at most", 0, [&] {
    for (const std::uint32_t c : {0U, 2U}) {
      books().free_items(slot, c).fill(items);
      books().chunk(slot, c).free_items = items;
      books().partial_chunks(slot).put(c);
      ++region(slot).partial_chunks;
    }
    bin(cls).empty_chunks = 2;
  });
}

TEST_F(Validation, WhatIsHeld) {
  auto* const cache = room.cache();
  const Address one = room->allocate(cache, 64), two = room->allocate(cache, 64);
  room->deallocate(cache, one);
  const plan::Class held = Plan::class_for(64);
  const auto with = [&](Address pointer, const char* invariant) {
    ASSERT_TRUE(cache->push(held, pointer));
    EXPECT_FALSE(room->validate(Quiet::yes));
    ASSERT_EQ(room.hooks().reports.size(), 1U);
    EXPECT_STREQ(room.hooks().reports[0].invariant, invariant);
    EXPECT_EQ(room.hooks().reports[0].address, pointer);
    room.take_problems();
    EXPECT_FALSE(room->validate(Quiet::no, cache)) << "its own cache is looked at in any case";
    room.take_problems();
    EXPECT_TRUE(room->validate(Quiet::no)) << "others' are not";
    cache->set_count(held, cache->count(held) - 1);
    EXPECT_TRUE(sound());
  };
  with(one, "a unit is held once");
  const char* const free = "a held unit is used, of its class, and not free";
  with(first_item + Plan::chunk_bytes + item_bytes, free);
  with(one + 1, free);
  with(room->heap().base - 16, free);
  // A larger one would hold the request, but need not be aligned as the class's own are.
  for (const std::uint64_t size : {16ULL, 128ULL}) {
    const Address other = room->allocate(room->dead(), size);
    with(other, free);
    room->deallocate(room->dead(), other);
  }
  for (const plan::Class each : {1U, Plan::item_classes}) {  // every magazine is looked at
    ASSERT_TRUE(cache->push(each, first_item + 1));
    EXPECT_FALSE(room->validate(Quiet::yes)) << each;
    room.take_problems();
    cache->set_count(each, 0);
  }
  room->deallocate(cache, two);
}

TEST_F(Validation, AHeldBlockIsOfItsMagazinesClass) {
  auto* const cache = room.cache();
  const plan::Class held = Plan::class_for(128 * kib);
  for (const std::uint64_t size : {64 * kib, 128 * kib, 256 * kib}) {
    const Address block = room->allocate(room->dead(), size);
    cache->blocks.push(held, block);
    EXPECT_EQ(room->validate(Quiet::yes), size == 128 * kib) << size;
    for (const Report& report : room.hooks().reports) {
      EXPECT_STREQ(report.invariant, "a held unit is used, of its class, and not free");
      EXPECT_EQ(report.address, block);
    }
    room.take_problems();
    EXPECT_EQ(cache->blocks.pop(held), block);
    room->deallocate(room->dead(), block);
  }
}

TEST_F(Validation, Slots) {
  expect_named("an absent slot is not used", slot,
               [&] { books().control().first_slot = slot + 1; });
  expect_named("an absent slot is not used", run_slot,
               [&] { books().control().end_slot = run_slot; });
  const std::uint32_t free = books().control().end_slot - Plan::regions_per_segment * 2 - 1;
  ASSERT_EQ(region(free).cls, Plan::unused);
  expect_named("dirt lies in the writable prefix", free,
               [&] { region(free).dirty = static_cast<std::uint16_t>(region(free).writable + 1); });
  const char* const empty = "the record of an unused slot is empty";
  expect_named(empty, free, [&] { region(free).next = 1; });
  expect_named(empty, free, [&] { region(free).free_units = 1; });
  expect_named(empty, free, [&] { region(free).partial_chunks = 1; });
  expect_named(empty, free, [&] { region(free).span_writable = 1; });
  expect_named(empty, free, [&] { region(free).run_units = 1; });
  using Layout = std::remove_cvref_t<decltype(books().layout())>;
  auto& memory = room->heap().memory;
  ASSERT_TRUE(
      memory.commit(Space::books, free * Layout::book_bytes, Layout::book_bytes) &&
      memory.commit(Space::item_map, free * Layout::item_map_bytes, Layout::item_map_bytes));
  region(free).books_ready = 1;
  const char* const no_blocks = "an unused slot has no blocks";
  expect_named(no_blocks, free, [&] { books().free_blocks(free).put(0); });
  expect_named(no_blocks, free, [&] { books().dirty_blocks(free).put(0); });
  region(free).books_ready = 0;
  expect_named("a used region's books are writable", slot, [&] { region(slot).books_ready = 0; });
  expect_named("a used slot's dirt is in its region's books", slot,
               [&] { region(slot).dirty = 1; });
  expect_named("a used slot's dirt is in its region's books", block_slot,
               [&] { region(block_slot).dirty = 1; });
  expect_named("no block is held: the purge lock is free", block_slot,
               [&] { region(block_slot).purged_block = 1; });
  expect_named("no page is held: the purge lock is free", slot,
               [&] { books().chunk(slot, 2).held_pages = 1; });
  expect_named("a class byte names a class", slot, [&] { publish(slot, 250); });
  expect_named("all slots of a region have its class", run_slot + 1,
               [&] { region(run_slot + 1).cls = 0; });
  expect_named("class_of_region publishes the class", slot,
               [&] { books().class_byte(slot).store(cls + 1); });
  expect_named("class_of_region publishes the class", free,
               [&] { books().class_byte(free).store(1); });
  expect_named("a writable prefix ends in its slot", free,
               [&] { region(free).writable = Plan::chunks_per_region + 1; });
}

// Advice on a slot in the middle of unused ones, or a prefix that ends in it, splits the mapping in
// three.
TEST_F(Validation, AdviceAndPrefixesSplitMappings) {
  const std::uint32_t free = books().control().end_slot - Plan::regions_per_segment * 2 - 2;
  ASSERT_EQ(region(free).writable + region(free + 1).writable, 0);
  const std::uint64_t before = room->bounds().mappings;
  region(free).pages = Pages::huge;
  EXPECT_EQ(room->bounds().mappings, before + 2);
  region(free).pages = Pages::unadvised;
  for (const std::uint32_t writable : {1U, Plan::chunks_per_region}) {
    region(free).writable = static_cast<std::uint16_t>(writable);
    EXPECT_EQ(room->bounds().mappings, before + 2) << writable;
  }
  region(free).writable = 0;
}

TEST_F(Validation, Runs) {
  expect_named("a run has a length", run_slot, [&] { region(run_slot).run_units = 0; });
  expect_named("a run is writable to its end", run_slot, [&] { region(run_slot).writable = 0; });
  expect_named("a run keeps the dirt past its end on record", run_slot,
               [&] { region(run_slot).dirty = 1; });
  expect_named("a run is writable to its end", run_slot + 1,
               [&] { region(run_slot + 1).writable = 0; });
  const std::uint32_t last = run_slot + 2 * Plan::regions_per_segment - 1;  // behind the run's end
  expect_named("a run keeps the dirt past its end on record", last,
               [&] { region(last).dirty = static_cast<std::uint16_t>(region(last).writable + 1); });
  expect_named("a run has one record", run_slot + 1, [&] { region(run_slot + 1).run_units = 1; });
  expect_named("what takes whole segments starts with one", run_slot + 1, [&] {
    publish(run_slot, Plan::unused);
    region(run_slot + 1).run_units = std::exchange(region(run_slot).run_units, 0);
  });
}

TEST_F(Validation, Bins) {
  const auto set = books().bin_regions(cls);
  expect_named("a bin's set holds its regions with room", slot,
               [&] { books().bin_regions(cls).take(slot); });
  expect_named("a bin's list is its set in address order", slot, [&] { bin(cls).head = slot + 1; });
  expect_named("a bin's list is its set in address order", slot, [&] { bin(cls).head = no_index; });
  expect_named("a bin's list ends", 0, [&] { region(slot).next = slot; });
  expect_named("a bin borrows from siblings until its next region is due", 0,
               [&] { ++bin(cls).borrowed; });
  expect_named("a bin's set holds nothing else", 0,
               [&] { books().bin_regions(cls).put(run_slot); });
  expect_named("the bin set's summary", 0, [&] { put_unnoticed(set, books().slots() - 1); });
}

TEST_F(Validation, Segments) {
  expect_named("a segment's map shows its unused slots", 0,
               [&] { books().segment_free(slot / Plan::regions_per_segment) ^= 1U << 31; });
  expect_named("segments with free slots are listed", 0, [&] { books().segment_list().remove(0); });
  expect_named("the segment list is in address order", 0,
               [&] { books().unused().segment_head = 0xFFFF; });
  expect_named("the segment list ends", 0, [&] {
    auto list = books().segment_list();
    std::uint32_t last = list.first();
    while (list.after(last) != 0xFFFF) {
      last = list.after(last);
    }
    auto* const next = reinterpret_cast<std::uint16_t*>(room->heap().memory.base(Space::control) +
                                                        books().layout().segment_next);
    next[last] = 0;
  });
}

TEST_F(Validation, Items) {
  const auto free = books().free_chunks(slot), partial = books().partial_chunks(slot);
  const std::uint32_t open = free.first();  // a free chunk
  expect_named("the free set's summary", slot, [&] {
    auto words = free;
    words.clear(Plan::chunks_per_region);
    put_unnoticed(words, 100);
  });
  expect_named("the partial set's summary", slot, [&] { put_unnoticed(partial, 200); });
  expect_named("beyond the writable prefix all is free", slot,
               [&] { books().partial_chunks(slot).put(Plan::chunks_per_region - 1); });
  const std::uint32_t beyond = region(slot).writable;
  const char* const zero = "beyond the writable prefix records are zero";
  expect_named(zero, slot, [&] { books().chunk(slot, beyond).summary = 1; });
  expect_named(zero, slot, [&] { books().chunk(slot, beyond).free_items = 1; });
  expect_named(zero, slot, [&] { books().chunk(slot, beyond).dirty_pages = 1; });
  expect_named(zero, slot, [&] { books().chunk(slot, beyond).held_pages = 1; });
  expect_named(zero, slot, [&] { books().chunk(slot, beyond).searched = 1; });
  expect_named("a chunk is free or partial, not both", slot,
               [&] { books().partial_chunks(slot).put(open); });
  expect_named("a free chunk's item map is empty", slot,
               [&] { books().chunk(slot, open).free_items = 1; });
  expect_named("a free chunk's item map is empty", slot,
               [&] { books().chunk(slot, open).summary = 1; });
  expect_named("no page of a free chunk is held", slot,
               [&] { books().chunk(slot, open).held_pages = 1; });
  expect_named("a free chunk is not searched page by page", slot,
               [&] { books().chunk(slot, open).searched = 1; });
  expect_named("the item map's summary", slot, [&] { books().chunk(slot, 1).summary = 0; });
  expect_named("the item map's summary", slot, [&] { books().chunk(slot, 1).summary = 3; });
  expect_named("the item map's summary", slot, [&] {
    books().free_items(slot, 1).put(items);  // one more than there are
  });
  expect_named("a chunk with free items is partial", slot,
               [&] { books().partial_chunks(slot).take(1); });
  expect_named("a chunk with free items is partial", slot,
               [&] { books().partial_chunks(slot).put(0); });
  const std::uint16_t dirty = books().chunk(slot, 0).dirty_pages;
  for (const unsigned page : {0U, 7U, 15U}) {
    expect_named("no used item touches a clean page", slot, [&] {
      books().chunk(slot, 0).dirty_pages = static_cast<std::uint16_t>(dirty & ~(1U << page));
    });
  }
}

// A word of free items is passed over at once; the next begins with one that is used.
TEST_F(Validation, AUsedItemAfterAWholeWordOfFreeOnes) {
  std::vector<Address> live;
  for (int i = 0; i < 300; ++i) {
    live.push_back(room->allocate(room->dead(), 16));
  }
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (i != 64) {
      room->deallocate(room->dead(), live[i]);
    }
  }
  const std::uint32_t where = slot_of(live[64]);
  expect_named("no used item touches a clean page", where,
               [&] { books().chunk(where, 0).dirty_pages = 0; });
  expect_named("no page of a searched chunk is free and dirty", where,
               [&] { books().chunk(where, 0).searched = 1; });
  room->deallocate(room->dead(), live[64]);
}

// The report names the chunk or block, and the address that it begins at.
TEST_F(Validation, WhereItIs) {
  const auto first_report = [&] {
    EXPECT_FALSE(room->validate(Quiet::yes));
    const Report report = room.hooks().reports.empty() ? Report{} : room.hooks().reports[0];
    room.take_problems();
    return report;
  };
  const Address base = room->heap().base;
  ++books().chunk(slot, 1).free_items;
  const Report chunk = first_report();
  --books().chunk(slot, 1).free_items;
  EXPECT_EQ(chunk.unit, 1U);
  EXPECT_EQ(chunk.cls, cls);
  EXPECT_EQ(chunk.address, base + slot * Plan::region_bytes + Plan::chunk_bytes);
  EXPECT_TRUE(books().dirty_blocks(block_slot).take(1));
  const Report block = first_report();
  EXPECT_STREQ(block.invariant, "a used block is marked dirty");
  EXPECT_EQ(block.unit, 1U);
  EXPECT_EQ(block.address, base + block_slot * Plan::region_bytes + mib);
  books().dirty_blocks(block_slot).put(1);
  const std::uint32_t beyond = books().free_blocks(block_slot).first() + 20;
  EXPECT_TRUE(books().free_blocks(block_slot).take(beyond));
  --region(block_slot).free_units;
  const Report used = first_report();
  EXPECT_STREQ(used.invariant, "a used block is writable");
  EXPECT_EQ(used.unit, beyond);
  books().free_blocks(block_slot).put(beyond);
  ++region(block_slot).free_units;
}

TEST(ValidationOfBlocks, InTheSecondWordOfTheirSet) {
  Room<Plan> room(4);
  std::vector<Address> live;
  for (int i = 0; i < 70; ++i) {
    live.push_back(room->allocate(room->dead(), 64 * kib));
  }
  auto dirty = room->heap().books.of_everything().dirty_blocks(0);
  EXPECT_TRUE(dirty.take(69));
  EXPECT_FALSE(room->validate(Quiet::yes));
  ASSERT_EQ(room.hooks().reports.size(), 1U);
  EXPECT_EQ(room.hooks().reports[0].unit, 69U);
  EXPECT_EQ(room.hooks().reports[0].address, live[69]);
  room.take_problems();
  dirty.put(69);
}

TEST_F(Validation, Blocks) {
  const auto free = books().free_blocks(block_slot);
  auto& sets = *reinterpret_cast<block_sets_t<Plan>*>(room->heap().memory.base(Space::books) +
                                                      block_slot * Records::Layout::book_bytes +
                                                      Records::Layout::block_sets);
  expect_named("the free blocks' summary", block_slot, [&] { sets.free_summary[0] = 0; });
  expect_named("the free blocks' summary", block_slot, [&] { sets.free_summary[0] |= 2; });
  expect_named("the free blocks' summary", block_slot,
               [&] { sets.free_words[0] |= std::uint64_t{1} << 32; });
  expect_named("the dirty blocks' summary", block_slot, [&] { sets.dirty_summary[0] = 0; });
  expect_named("a block region has no chunks", block_slot,
               [&] { region(block_slot).partial_chunks = 1; });
  expect_named("the span's writable prefix is that of its slots", block_slot,
               [&] { ++region(block_slot).span_writable; });
  expect_named("a used block is writable", block_slot, [&] {
    books().free_blocks(block_slot).take(free.first() + 20);
    books().dirty_blocks(block_slot).put(free.first() + 20);
  });
  expect_named("a used block is marked dirty", block_slot,
               [&] { books().dirty_blocks(block_slot).take(0); });
}

TEST_F(Validation, EverySlotOfABlockRegion) {
  const Address block = room->allocate(room->dead(), 64 * mib);  // of a whole segment
  const std::uint32_t second = slot_of(block) + 1;
  expect_named("a used slot's dirt is in its region's books", second,
               [&] { region(second).dirty = 1; });
  room->deallocate(room->dead(), block);
}

}  // namespace
}  // namespace strata::check
