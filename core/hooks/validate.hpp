// Recomputes every invariant of the books from scratch. The bit maps, classes, writable prefixes
// and dirty marks are the truth; counts, summaries, sets, lists and published copies must follow.
//
// Reads only. The caller holds every lock (for `region` alone: the lock of the region's bin).
#pragma once

#include <bit>
#include <cstdint>

#include "heap/blocks.hpp"
#include "heap/heap.hpp"

namespace strata {

enum class Quiet : bool { no, yes };

template <class Heap>
class Validator {
  using Plan = typename Heap::Plan;
  using Class = typename Heap::Class;
  using Map = typename Heap::Books::Map;

 public:
  Validator(Heap& heap, Reports& reports) : heap_(heap), books_(heap.books), reports_(reports) {}

  // Everything but what threads hold.
  void books() {
    slots();
    for (Class bin = 1; bin < Plan::bins; ++bin) {
      this->bin(bin);
    }
    segments();
    mappings();
    const auto& control = books_.control();
    expect(control.live_bytes.load(std::memory_order_relaxed) == live_bytes_,
           "live_bytes counts what is used", 0);
    expect(control.dirty_bytes.load(std::memory_order_relaxed) == dirty_bytes_,
           "dirty_bytes counts what is free and dirty", 0);
  }

  // One region of items or blocks, by its lead slot.
  void region(std::uint32_t slot) {
    const Class cls = books_.region(slot).cls;
    Plan::is_item(cls) ? item_region(slot, cls) : block_region(slot, cls);
  }

  // One chunk of a region of items; for blocks the whole region.
  void unit(std::uint32_t slot, std::uint32_t c) {
    const Class cls = books_.region(slot).cls;
    if (!Plan::is_item(cls)) {
      block_region(slot, cls);
      return;
    }
    item_sets(slot);
    chunk(slot, c, cls);
  }

  // Pointers in a magazine of `cls`: used items of that class or a larger one, each held once.
  void held(Class cls, const Address* pointers, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t offset = pointers[i] - heap_.base;
      expect_at(heap_.contains(offset) && is_used_item(offset, cls),
                "a held item is used, of its class, and not free", pointers[i]);
      for (std::uint32_t j = 0; j < i; ++j) {
        expect_at(pointers[i] != pointers[j], "an item is held once", pointers[i]);
      }
    }
  }

  // Mappings that the writable prefixes split the three spaces into.
  std::uint64_t mappings_now() const {
    std::uint64_t edges = 0;
    bool heap_open = false, books_open = false;  // whether the bytes before are writable
    for (std::uint32_t slot = 0; slot < books_.slots(); ++slot) {
      const region_t& region = books_.region(slot);
      const bool starts = region.writable > 0;
      edges += starts != heap_open ? 1 : 0;
      heap_open = region.writable == Plan::chunks_per_region;
      edges += starts != heap_open ? 1 : 0;
      edges += (region.books_ready != 0) != books_open ? 2 : 0;  // books and item map
      books_open = region.books_ready != 0;
    }
    return edges + Heap::Layout::mappings_constant;
  }

 private:
  void expect(bool holds, const char* invariant, std::uint32_t slot,
              std::uint32_t unit = no_index) {
    if (!holds) {
      Report report;
      report.problem = Problem::broken_invariant;
      report.invariant = invariant;
      report.slot = slot;
      report.cls = books_.region(slot).cls;
      report.address = heap_.address_of(std::uint64_t{slot} << Plan::region_shift);
      if (unit != no_index) {
        report.unit = unit;
        report.address += Plan::is_item(report.cls)
                              ? std::uint64_t{unit} << Plan::chunk_shift
                              : unit * Plan::unit_bytes(Plan::bin_of(report.cls));
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

  // --- Slots and what they are used for --------------------------------------------------------
  void slots() {
    const auto& control = books_.control();
    for (std::uint32_t slot = 0; slot < books_.slots();) {
      const region_t& region = books_.region(slot);
      const bool present = slot >= control.first_slot && slot < control.end_slot;
      expect(present || region.cls == Plan::unused, "an absent slot is not used", slot);
      slot += region.cls == Plan::unused ? unused_slot(slot) : used_slots(slot, region.cls);
    }
  }

  std::uint32_t unused_slot(std::uint32_t slot) {
    const region_t& region = books_.region(slot);
    published(slot, 1, Plan::unused);
    expect(region.dirty <= region.writable, "dirt lies in the writable prefix", slot);
    expect(region.free_units == 0 && region.partial_chunks == 0 && region.span_writable == 0 &&
               region.run_units == 0 && region.next == 0,
           "the record of an unused slot is empty", slot);
    dirty_bytes_ += region.dirty * Plan::chunk_bytes;
    return 1;
  }

  // Returns how many slots what starts here takes.
  std::uint32_t used_slots(std::uint32_t slot, Class cls) {
    const region_t& region = books_.region(slot);
    const bool whole =
        Plan::is_block(cls) || (Plan::is_run(cls) && region.run_units > Plan::chunks_per_segment);
    expect(!whole || slot % Plan::regions_per_segment == 0,
           "what takes whole segments starts with one", slot);
    if (Plan::is_run(cls)) {
      return run(slot);
    }
    expect(Plan::is_item(Plan::bin_of(cls)) || Plan::is_block(Plan::bin_of(cls)),
           "a class byte names a class", slot);
    expect(region.books_ready == 1, "a used region's books are writable", slot);
    const std::uint32_t slots =
        Plan::is_item(cls) ? 1 : Blocks<typename Heap::State>::slots_of(cls);
    published(slot, slots, cls);
    for (std::uint32_t i = 0; i < slots; ++i) {
      expect(books_.region(slot + i).dirty == 0, "a used slot's dirt is in its region's books",
             slot + i);
    }
    this->region(slot);
    return slots;
  }

  std::uint32_t run(std::uint32_t slot) {
    const region_t& region = books_.region(slot);
    expect(region.run_units > 0, "a run has a length", slot);
    if (region.run_units == 0) {
      return 1;
    }
    const std::uint32_t slots = Runs<typename Heap::State>::slots_of(region.run_units);
    published(slot, slots, Plan::run);
    std::uint64_t rest = region.run_units;
    for (std::uint32_t i = 0; i < slots; ++i) {
      const std::uint64_t here = std::min<std::uint64_t>(rest, Plan::chunks_per_region);
      expect(books_.region(slot + i).writable >= here, "a run is writable to its end", slot + i);
      expect(books_.region(slot + i).dirty == 0 ||
                 (books_.region(slot + i).dirty > here &&
                  books_.region(slot + i).dirty <= books_.region(slot + i).writable),
             "a run keeps the dirt past its end on record", slot + i);
      expect(i == 0 || books_.region(slot + i).run_units == 0, "a run has one record", slot + i);
      rest -= here;
    }
    live_bytes_ += std::uint64_t{region.run_units} << Plan::chunk_shift;
    return slots;
  }

  void published(std::uint32_t slot, std::uint32_t count, Class cls) {
    for (std::uint32_t i = 0; i < count; ++i) {
      expect(books_.region(slot + i).cls == cls, "all slots of a region have its class", slot + i);
      expect(books_.class_byte(slot + i).load(std::memory_order_relaxed) == cls,
             "class_of_region publishes the class", slot + i);
      expect(books_.region(slot + i).writable <= Plan::chunks_per_region,
             "a writable prefix ends in its slot", slot + i);
    }
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
    dirty_bytes_ += static_cast<std::uint64_t>(std::popcount(chunk.dirty_pages)) * Plan::page_bytes;
  }

  void used_chunk(std::uint32_t slot, std::uint32_t c, Class cls, bool partial) {
    const chunk_t& chunk = books_.chunk(slot, c);
    const Map items = books_.free_items(slot, c);
    const std::uint32_t capacity = Plan::items_per_chunk(cls);
    map(items, capacity, "the item map's summary", slot, c);
    expect(count(items, capacity) == chunk.free_items, "free items are counted", slot, c);
    expect(partial == (chunk.free_items > 0), "a chunk with free items is partial", slot, c);
    empty_chunks_[cls] += chunk.free_items == capacity ? 1 : 0;
    for (std::uint32_t item = 0; item < capacity; ++item) {
      if (items.word(item >> Plan::word_shift) == Map::full_word) {
        item |= Plan::word_bits - 1;  // all free
      } else if (!items.test(item)) {
        const std::uint64_t start = item * Plan::unit_bytes(cls);
        const std::uint64_t end = start + Plan::unit_bytes(cls) - 1;
        const std::uint32_t pages =
            (2U << (end >> Plan::page_shift)) - (1U << (start >> Plan::page_shift));
        expect((chunk.dirty_pages & pages) == pages, "no used item touches a clean page", slot, c);
      }
    }
    live_bytes_ += Plan::chunk_bytes;
  }

  // --- Group B ---------------------------------------------------------------------------------
  void block_region(std::uint32_t lead, Class cls) {
    const Class bin = Plan::bin_of(cls);
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
    const std::uint64_t chunks = Plan::unit_bytes(bin) >> Plan::chunk_shift;
    for (std::uint32_t block = 0; block < blocks; ++block) {
      const bool writable = (block + 1) * chunks <= region.span_writable;
      expect(free.test(block) || (writable && dirty.test(block)),
             "a used block is writable and marked dirty", lead, block);
      live_bytes_ += free.test(block) ? 0 : Plan::unit_bytes(bin);
      dirty_bytes_ += free.test(block) && dirty.test(block) ? Plan::unit_bytes(bin) : 0;
    }
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

  // --- Bins and segments -----------------------------------------------------------------------
  void bin(Class bin) {
    const bin_t& record = books_.bin(bin);
    const Map members = books_.bin_regions(bin);
    std::uint32_t empty_regions = 0, regions = 0;
    std::uint32_t expected = record.head;  // the list, followed in step with the slots
    for (std::uint32_t slot = 0; slot < books_.slots(); ++slot) {
      const region_t& region = books_.region(slot);
      const bool ours =
          is_lead(slot) && region.cls != Plan::unused && Plan::bin_of(region.cls) == bin;
      const bool member = ours && (region.free_units > 0 || region.partial_chunks > 0);
      regions += ours ? 1 : 0;
      expect(members.test(slot) == member, "a bin's set holds its regions with room", slot);
      if (member) {
        expect(expected == slot, "a bin's list is its set in address order", slot);
        expected = region.next;
        const std::uint32_t units =
            Plan::is_item(bin) ? Plan::chunks_per_region : Plan::blocks_per_region(region.cls);
        empty_regions += region.free_units == units ? 1 : 0;
      }
    }
    map(members, books_.slots(), "the bin set's summary", 0);
    expect(expected == no_index, "a bin's list ends", 0);
    expect(record.regions == regions, "a bin's regions are counted", 0);
    expect(record.empty_regions == empty_regions && empty_regions <= 1,
           "a bin keeps one empty region at most", 0);
    expect(record.empty_chunks == empty_chunks_[bin] && empty_chunks_[bin] <= 1,
           "a bin keeps one empty chunk at most", 0);
  }

  bool is_lead(std::uint32_t slot) const {
    const Class cls = books_.region(slot).cls;
    return !Plan::is_block(cls) || slot % Plan::regions_per_segment == 0;
  }

  void segments() {
    const auto& control = books_.control();
    std::uint32_t free_slots = 0, dirty_slots = 0;
    auto list = books_.segment_list();
    std::uint16_t expected = list.first();
    for (std::uint32_t segment = 0; segment < books_.segments(); ++segment) {
      const std::uint32_t first = segment * Plan::regions_per_segment;
      std::uint32_t free = 0;
      for (std::uint32_t i = 0; i < Plan::regions_per_segment; ++i) {
        const std::uint32_t slot = first + i;
        const bool present = slot >= control.first_slot && slot < control.end_slot;
        const bool is_free = present && books_.region(slot).cls == Plan::unused;
        free |= std::uint32_t{is_free} << i;
        dirty_slots += is_free && books_.region(slot).dirty > 0 ? 1 : 0;
      }
      const std::uint32_t count = static_cast<std::uint32_t>(std::popcount(free));
      free_slots += count;
      expect(books_.segment_free(segment) == free, "a segment's map shows its unused slots", first);
      expect(books_.segment_used(segment) == Plan::regions_per_segment - count,
             "used slots are counted", first);
      expect(list.contains(segment) == (free != 0), "segments with free slots are listed", first);
      if (free != 0) {
        expect(expected == segment, "the segment list is in address order", first);
        expected = list.after(segment);
      }
    }
    expect(expected == 0xFFFF, "the segment list ends", 0);
    expect(control.free_slots == free_slots, "unused slots are counted", 0);
    expect(control.dirty_slots == dirty_slots, "dirty unused slots are counted", 0);
  }

  void mappings() {
    expect(mappings_now() <= books_.layout().mappings_max(), "mappings stay below their bound", 0);
  }

  bool is_used_item(std::uint64_t offset, Class at_least) const {
    const Class cls = heap_.class_at(offset);
    return Plan::is_item(cls) && cls >= at_least &&
           Items<typename Heap::State>(heap_, cls).is_used(offset);
  }

  Heap& heap_;
  typename Heap::Books& books_;
  Reports& reports_;
  std::uint64_t live_bytes_ = 0;
  std::uint64_t dirty_bytes_ = 0;
  std::uint32_t empty_chunks_[Plan::bins] = {};
};

}  // namespace strata
