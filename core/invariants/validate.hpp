// Recomputes every invariant of the books from scratch. The bit maps, classes, writable prefixes
// and dirty marks are the truth; counts, summaries, sets, lists and published copies must follow.
//
// Reads only.
#pragma once

#include <bit>
#include <cstdint>

#include "invariants/validate_region.hpp"

namespace strata {

enum class Quiet : bool { no, yes };

template <class Heap>
class Validator : public RegionValidator<Heap> {
  using Base = RegionValidator<Heap>;
  using Base::books_, Base::dirty_bytes_, Base::empty_chunks_, Base::heap_, Base::live_bytes_;
  using Base::expect, Base::expect_at, Base::map, Base::prefix;
  using typename Base::Class, typename Base::Map, typename Base::Plan;
  using Bin = plan::Bin;

 public:
  // Of everything, so under every lock.
  [[clang::requires_capability(role::Commit::held, role::Bin::held, role::Segments::held)]]
  Validator(Heap& heap, Reports& reports)
      : Base(heap, reports) {}

  // Everything but what threads hold.
  void books() {
    slots();
    bins();
    segments();
    expect(heap_.live_bytes() == live_bytes_, "live_bytes counts what is used", 0);
    expect(heap_.dirty_bytes() == dirty_bytes_, "dirty_bytes counts what is free and dirty", 0);
  }

  // Pointers in a magazine of `cls`: used units of just that class, each held once. (What a larger
  // class serves leaves at once: it may not be aligned as the magazine's own are.)
  void held(Class cls, const Address* pointers, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint64_t offset = pointers[i] - heap_.base;
      expect_at(heap_.contains(offset) && is_used(offset, cls),
                "a held unit is used, of its class, and not free", pointers[i]);
      for (std::uint32_t j = 0; j < i; ++j) {
        expect_at(pointers[i] != pointers[j], "a unit is held once", pointers[i]);
      }
    }
  }

  // At most that many mappings writable prefixes, and advice on pages, split the three spaces into.
  // Two neighbours that were both touched before they met are one to nobody but us: the kernel does
  // not merge them. (In a forked child it merges some neighbours less.)
  std::uint64_t mappings_now() const {
    std::uint64_t edges = 0;
    bool heap_open = false, books_open = false;  // whether the bytes before are writable
    Pages pages = Pages::unadvised;              // of the slot before
    for (std::uint32_t slot = 0; slot < books_.slots(); ++slot) {
      const region_t& region = books_.region(slot);
      const bool starts = region.writable > 0;
      edges += starts || heap_open || region.pages != pages ? 1 : 0;
      pages = region.pages;
      heap_open = region.writable == Plan::chunks_per_region;
      edges += starts && !heap_open ? 1 : 0;
      const bool ready = region.books_ready != 0;
      edges += ready || books_open ? 2 : 0;  // books and item map
      books_open = ready;
    }
    return edges + Heap::Layout::mappings_constant;
  }

 private:
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
    expect(region.books_ready == 0 ||
               (books_.free_blocks(slot).empty() && books_.dirty_blocks(slot).empty()),
           "an unused slot has no blocks", slot);
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
    const bool is_class =
        Plan::is_item(Plan::bin_class(cls)) || Plan::is_block(Plan::bin_class(cls));
    expect(is_class, "a class byte names a class", slot);
    if (!is_class) {
      return 1;  // nothing can be asked of it
    }
    expect(region.books_ready == 1, "a used region's books are writable", slot);
    const std::uint32_t slots =
        Plan::is_item(cls) ? 1 : Blocks<typename Heap::State>::slots_of(cls);
    published(slot, slots, cls);
    for (std::uint32_t i = 0; i < slots; ++i) {
      expect(books_.region(slot + i).dirty == 0, "a used slot's dirt is in its region's books",
             slot + i);
    }
    this->region(slot);
    expect(region.purged_block == 0, "no block is held: the purge lock is free", slot);
    for (std::uint32_t c = 0; Plan::is_item(cls) && c < region.writable; ++c) {
      expect(books_.chunk(slot, c).held_pages == 0, "no page is held: the purge lock is free", slot,
             c);
    }
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

  // --- Bins and segments -----------------------------------------------------------------------
  // What a bin's record must say, and its list as far as it has been followed.
  struct Expected {
    std::uint32_t next = no_index;
    std::uint32_t regions = 0, members = 0, empty_regions = 0;
  };

  void bins() {
    Expected expected[Plan::bins_for(Plan::shards_max)] = {};
    const Bin end = books_.layout().bins_count();
    for (Bin bin = 1; bin < end; ++bin) {
      expected[bin].next = books_.bin(bin).head;
    }
    for (std::uint32_t slot = 0; slot < books_.slots(); ++slot) {
      const Class bin_class = Plan::bin_class(books_.region(slot).cls);
      if (is_lead(slot) && (Plan::is_item(bin_class) || Plan::is_block(bin_class))) {
        const Bin bin = Plan::bin_in(heap_.shard_of_slot(slot), bin_class);
        region_of(bin, slot, expected[bin]);
      }
    }
    for (Bin bin = 1; bin < end; ++bin) {
      this->bin(bin, expected[bin]);
    }
  }

  void region_of(Bin bin, std::uint32_t slot, Expected& expected) {
    const region_t& region = books_.region(slot);
    const bool member = region.free_units > 0 || region.partial_chunks > 0;
    ++expected.regions;
    expect(books_.bin_regions(bin).test(slot) == member, "a bin's set holds its regions with room",
           slot);
    if (member) {
      expect(expected.next == slot, "a bin's list is its set in address order", slot);
      expected.next = region.next;
      ++expected.members;
      const std::uint32_t units =
          Plan::is_block(bin) ? Plan::blocks_per_region(region.cls) : Plan::chunks_per_region;
      expected.empty_regions += region.free_units == units ? 1 : 0;
    }
  }

  void bin(Bin bin, const Expected& expected) {
    const bin_t& record = books_.bin(bin);
    const Map members = books_.bin_regions(bin);
    map(members, books_.slots(), "the bin set's summary", 0);
    expect(this->count(members, books_.slots()) == expected.members,
           "a bin's set holds nothing else", 0);
    expect(expected.next == no_index, "a bin's list ends", 0);
    expect(record.regions == expected.regions, "a bin's regions are counted", 0);
    expect(record.empty_regions == expected.empty_regions && expected.empty_regions <= 1,
           "a bin keeps one empty region at most", 0);
    expect(record.empty_chunks == empty_chunks_[bin] && empty_chunks_[bin] <= 1,
           "a bin keeps one empty chunk at most", 0);
    expect(record.borrowed <= (books_.layout().shards > 1 ? borrowed_max : 0),
           "a bin borrows from siblings until its next region is due", 0);
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
    expect(expected == no_segment, "the segment list ends", 0);
    expect(books_.unused().free_slots == free_slots, "unused slots are counted", 0);
    expect(books_.unused().dirty_slots == dirty_slots, "dirty unused slots are counted", 0);
  }

  [[clang::no_thread_safety_analysis]]
  bool is_used(std::uint64_t offset, Class expected) const {
    const Class cls = Plan::bin_class(heap_.class_at(offset));
    const Bin bin = heap_.bin_at(offset, cls);
    if (cls != expected) {
      return false;
    }
    return Plan::is_block(bin) ? Blocks<typename Heap::State>(heap_, bin).is_used(offset)
                               : Items<typename Heap::State>(heap_, bin).is_used(offset);
  }
};

}  // namespace strata
