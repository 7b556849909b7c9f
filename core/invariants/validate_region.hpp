// The invariants of one region of items or blocks, recomputed from its bit maps.
//
// Reads only, under the lock of the region's bin; and of commit, since what growth holds looks
// used.
#pragma once

#include <bit>
#include <cstdint>

#include "heap/blocks.hpp"
#include "heap/heap.hpp"

namespace strata {

template <class Heap>
class RegionValidator {
 protected:
  using Plan = typename Heap::Plan;
  using Class = typename Heap::Class;
  using Map = typename Heap::Books::Map;

 public:
  [[clang::requires_capability(role::Commit::held, role::Bin::held)]]
  RegionValidator(Heap& heap, Reports& reports)
      : heap_(heap), books_(heap.books.of_everything()), reports_(reports) {}

  // One region of items or blocks, by its lead slot.
  void region(std::uint32_t slot) {
    const Class cls = books_.region(slot).cls;
    Plan::is_item(cls) ? item_region(slot, cls) : block_region(slot, cls);
  }

  // One chunk of a region of items; for blocks the whole region.
  void unit(std::uint32_t slot, std::uint32_t c) {
    const Class cls = books_.region(slot).cls;
    if (!Plan::is_item(cls)) {
      // The unit may be one of a region that is gone; what is there now may begin elsewhere.
      block_region(Plan::is_block(cls) ? slot & ~(Plan::regions_per_segment - 1) : slot, cls);
      return;
    }
    item_sets(slot);
    if (c < Plan::chunks_per_region) {  // or it was a block, of what the slot was before
      chunk(slot, c, cls);
    }
  }

 protected:
  void expect(bool holds, const char* invariant, std::uint32_t slot,
              std::uint32_t unit = no_index) {
    if (!holds) {
      Report report;
      report.problem = Problem::broken_invariant;
      report.invariant = invariant;
      report.slot = slot;
      report.cls = books_.region(slot).cls;
      report.address = heap_.address_of(Plan::slot_start(slot));
      if (unit != no_index) {
        report.unit = unit;
        report.address += Plan::is_item(report.cls)
                              ? std::uint64_t{unit} << Plan::chunk_shift
                              : unit * Plan::unit_bytes(Plan::bin_class(report.cls));
      }
      reports_.add(report);
    }
  }
  void expect_at(bool holds, const char* invariant, Address address) {
    if (!holds) {
      Report report = heap_.describe_pointer(Problem::broken_invariant, address);
      report.invariant = invariant;
      reports_.add(report);
    }
  }

  // A map's summary names exactly its non-zero words, and no bit lies beyond its end.
  void map(const Map& map, std::uint32_t bits, const char* invariant, std::uint32_t slot,
           std::uint32_t unit = no_index) {
    for (std::uint32_t w = 0; w < Map::words_for(bits); ++w) {
      expect(map.summary_test(w) == (map.word(w) != 0), invariant, slot, unit);
    }
    expect(map.first_from(bits) == no_index, invariant, slot, unit);
  }
  static std::uint32_t count(const Map& map, std::uint32_t bits) {
    std::uint32_t total = 0;
    for (std::uint32_t w = 0; w < Map::words_for(bits); ++w) {
      total += static_cast<std::uint32_t>(std::popcount(map.word(w)));
    }
    return total;
  }

  // --- Group A ---------------------------------------------------------------------------------
  void item_region(std::uint32_t slot, Class cls) {
    item_sets(slot);
    for (std::uint32_t c = 0; c < Plan::chunks_per_region; ++c) {
      chunk(slot, c, cls);
    }
  }

  void item_sets(std::uint32_t slot) {
    const region_t& region = books_.region(slot);
    const Map free = books_.free_chunks(slot);
    const Map partial = books_.partial_chunks(slot);
    map(free, Plan::chunks_per_region, "the free set's summary", slot);
    map(partial, Plan::chunks_per_region, "the partial set's summary", slot);
    expect(count(free, Plan::chunks_per_region) == region.free_units, "free chunks are counted",
           slot);
    expect(count(partial, Plan::chunks_per_region) == region.partial_chunks,
           "partial chunks are counted", slot);
  }

  void chunk(std::uint32_t slot, std::uint32_t c, Class cls) {
    const bool free = books_.free_chunks(slot).test(c);
    const bool partial = books_.partial_chunks(slot).test(c);
    if (c >= books_.region(slot).writable) {
      expect(!partial, "beyond the writable prefix all is free", slot, c);
      const chunk_t& chunk = books_.chunk(slot, c);
      expect((chunk.summary | chunk.free_items | chunk.dirty_pages | chunk.held_pages |
              chunk.searched) == 0,
             "beyond the writable prefix records are zero", slot, c);
    } else if (free) {
      free_chunk(slot, c, partial);
    } else {
      used_chunk(slot, c, cls, partial);
    }
  }

  void free_chunk(std::uint32_t slot, std::uint32_t c, bool partial) {
    const chunk_t& chunk = books_.chunk(slot, c);
    expect(!partial, "a chunk is free or partial, not both", slot, c);
    expect(chunk.free_items == 0 && chunk.summary == 0, "a free chunk's item map is empty", slot,
           c);
    expect(chunk.held_pages == 0, "no page of a free chunk is held", slot, c);
    expect(chunk.searched == 0, "a free chunk is not searched page by page", slot, c);
    dirty_bytes_ += static_cast<std::uint64_t>(std::popcount(chunk.dirty_pages)) * Plan::page_bytes;
  }

  void used_chunk(std::uint32_t slot, std::uint32_t c, Class cls, bool partial) {
    const chunk_t& chunk = books_.chunk(slot, c);
    const Map items = books_.free_items(slot, c);
    const std::uint32_t capacity = Plan::items_per_chunk(cls);
    map(items, capacity, "the item map's summary", slot, c);
    expect(count(items, capacity) == chunk.free_items, "free items are counted", slot, c);
    expect(partial == (chunk.free_items > 0), "a chunk with free items is partial", slot, c);
    empty_chunks_[heap_.bin_at(Plan::slot_start(slot), cls)] +=
        chunk.free_items == capacity ? 1 : 0;
    const std::uint64_t item_bytes = capacity * Plan::unit_bytes(cls);
    std::uint32_t used = ~0U << (((item_bytes - 1) >> Plan::page_shift) + 1);  // behind all items
    for (std::uint32_t item = 0; item < capacity; ++item) {
      if (items.word(item >> Plan::word_shift) == Map::full_word) {
        item |= Plan::word_bits - 1;  // all free
      } else if (!items.test(item)) {
        const std::uint64_t start = item * Plan::unit_bytes(cls);
        const std::uint64_t end = start + Plan::unit_bytes(cls) - 1;
        const std::uint32_t pages =
            (2U << (end >> Plan::page_shift)) - (1U << (start >> Plan::page_shift));
        // What a purger holds looks used; pages between its dirty ones may be clean.
        expect(((chunk.dirty_pages | chunk.held_pages) & pages) == pages,
               "no used item touches a clean page", slot, c);
        used |= pages;
      }
    }
    expect(chunk.searched == 0 || (chunk.dirty_pages & ~used) == 0,
           "no page of a searched chunk is free and dirty", slot, c);
    live_bytes_ += Plan::chunk_bytes;
  }

  // --- Group B ---------------------------------------------------------------------------------
  void block_region(std::uint32_t lead, Class cls) {
    const Class bin = Plan::bin_class(cls);
    const region_t& region = books_.region(lead);
    const std::uint32_t blocks = Plan::blocks_per_region(cls);
    const Map free = books_.free_blocks(lead);
    const Map dirty = books_.dirty_blocks(lead);
    map(free, blocks, "the free blocks' summary", lead);
    map(dirty, blocks, "the dirty blocks' summary", lead);
    expect(count(free, blocks) == region.free_units, "free blocks are counted", lead);
    expect(region.partial_chunks == 0, "a block region has no chunks", lead);
    expect(region.span_writable == prefix(lead, Blocks<typename Heap::State>::slots_of(cls)),
           "the span's writable prefix is that of its slots", lead);
    for (std::uint32_t w = 0; w < Map::words_for(blocks); ++w) {
      block_word(lead, bin, w, std::min(blocks - (w << Plan::word_shift), Plan::word_bits));
    }
  }

  // The blocks of one word of the sets, of which `count` exist.
  void block_word(std::uint32_t lead, Class bin, std::uint32_t w, std::uint32_t count) {
    const std::uint64_t exist = Map::full_word >> (Plan::word_bits - count);
    const std::uint64_t free = books_.free_blocks(lead).word(w);
    const std::uint64_t dirty = books_.dirty_blocks(lead).word(w);
    const std::uint64_t used = ~free & exist;
    const std::uint32_t end =
        (w << Plan::word_shift) + static_cast<std::uint32_t>(std::bit_width(used));
    const std::uint64_t chunks = end * (Plan::unit_bytes(bin) >> Plan::chunk_shift);
    expect(used == 0 || chunks <= books_.region(lead).span_writable, "a used block is writable",
           lead, end - 1);
    expect((used & ~dirty) == 0, "a used block is marked dirty", lead,
           (w << Plan::word_shift) + static_cast<std::uint32_t>(std::countr_zero(used & ~dirty)));
    live_bytes_ += static_cast<std::uint64_t>(std::popcount(used)) * Plan::unit_bytes(bin);
    dirty_bytes_ += static_cast<std::uint64_t>(std::popcount(free & dirty)) * Plan::unit_bytes(bin);
  }

  std::uint32_t prefix(std::uint32_t lead, std::uint32_t slots) const {
    std::uint32_t total = 0;
    for (std::uint32_t i = 0; i < slots; ++i) {
      total += books_.region(lead + i).writable;
      if (books_.region(lead + i).writable < Plan::chunks_per_region) {
        return total;
      }
    }
    return total;
  }

  Heap& heap_;
  const typename Heap::Records& books_;
  Reports& reports_;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t dirty_bytes_ = 0;
  std::uint32_t empty_chunks_[Plan::bins_for(Plan::shards_max)] = {};
};

}  // namespace strata
