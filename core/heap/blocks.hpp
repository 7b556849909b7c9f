// Group B: blocks of one size in regions of a whole segment, or (small spaces) of one slot. Plain
// sequential code under the bin's lock.
//
// A region's bookkeeping hangs on its lead slot; every slot of it carries the class byte. A block's
// dirty bit says that it was handed out since it was last known to be zero.
#pragma once

#include <algorithm>
#include <cassert>

#include "heap/outcome.hpp"
#include "heap/state.hpp"

namespace strata {

template <class State>
class Blocks {
  using Plan = typename State::Plan;
  using Map = typename State::Books::Map;
  using Class = typename State::Class;

 public:
  [[clang::requires_capability(role::Bin::held)]]
  Blocks(State& state, Class bin)
      : state_(state), books_(state.books.of_bins()), bin_(books_.bin(bin)), cls_(bin) {
    assert(Plan::is_block(bin));
  }

  struct Taken {
    std::uint64_t offset = 0;
    bool found = false;
    bool known_zero = false;
  };

  // The lowest free block that is writable.
  [[clang::requires_capability(role::Bin::held)]]
  Taken take() {
    for (std::uint32_t lead = bin_.head; lead != no_index; lead = books_.region(lead).next) {
      const std::uint32_t block = books_.free_blocks(lead).first();
      if (chunks_through(cls_, block) <= books_.region(lead).span_writable) {
        const bool known_zero = !books_.dirty_blocks(lead).test(block);
        hold_block(lead, block);
        books_.dirty_blocks(lead).put(block);
        state_.hooks.on(Event::block_taken, lead, block);
        return {offset_of(lead, block), true, known_zero};
      }
    }
    return {};
  }

  // Puts a block back. The caller has seen, under the lock, that the slot is of this bin.
  [[clang::requires_capability(role::Bin::held)]]
  Outcome put(std::uint64_t offset) {
    const Place place = place_of(offset);
    if (place.problem != Problem::none) {
      return {.problem = place.problem};
    }
    state_.hooks.on(Event::block_given, place.lead, place.block);
    return release_block(place.lead, place.block);
  }

  [[clang::requires_capability(role::Bin::held)]]
  bool is_used(std::uint64_t offset) const {
    return place_of(offset).problem == Problem::none;
  }

  // The slot whose record and book stand for the region that an offset of this bin lies in.
  std::uint32_t lead_of(std::uint64_t offset) const {
    const std::uint32_t slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    return Plan::is_small(state_.class_at(offset)) ? slot : slot & ~(Plan::regions_per_segment - 1);
  }

  // The lowest region from `from` on, or no_index: for those whose free block is not writable yet.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t growable_region(std::uint32_t from) const {
    return books_.bin_regions(cls_).first_from(from);
  }

  [[clang::requires_capability(role::Bin::held)]]
  void hold_block(std::uint32_t lead, std::uint32_t block) {
    region_t& region = books_.region(lead);
    if (is_empty(region)) {
      --bin_.empty_regions;
    }
    const bool was_free = books_.free_blocks(lead).take(block);
    assert(was_free);
    (void)was_free;
    --region.free_units;
    if (region.free_units == 0) {
      books_.bin_list(cls_).remove(lead);
    }
    state_.uncount_dirty(dirty_bytes(lead, block));
    state_.count_live(Plan::unit_bytes(cls_));
  }

  [[clang::requires_capability(role::Bin::held)]]
  Outcome release_block(std::uint32_t lead, std::uint32_t block) {
    region_t& region = books_.region(lead);
    const bool was_held = books_.free_blocks(lead).put(block);
    assert(was_held);
    (void)was_held;
    ++region.free_units;
    if (region.free_units == 1) {
      books_.bin_list(cls_).insert(lead);
    }
    state_.uncount_live(Plan::unit_bytes(cls_));
    state_.count_dirty(dirty_bytes(lead, block));
    if (!is_empty(region)) {
      return {};
    }
    ++bin_.empty_regions;
    return bin_.empty_regions > 1 ? close_region(lead) : Outcome{};
  }

  // Makes the slots from `lead` on, which nobody else knows of, a region of `cls`: this bin's, or
  // its small twin.
  [[clang::requires_capability(role::Bin::held)]]
  void open_region(std::uint32_t lead, Class cls) {
    assert(Plan::bin_class(cls) == cls_);
    const std::uint32_t slots = slots_of(cls);
    const std::uint32_t blocks = Plan::blocks_per_region(cls);
    region_t& region = books_.region(lead);
    books_.free_blocks(lead).fill(blocks);
    for (std::uint32_t i = 0; i < slots; ++i) {
      inherit_dirt(lead, i);
      state_.publish_class(lead + i, cls);
    }
    region.free_units = static_cast<std::uint16_t>(blocks);
    region.span_writable = writable_prefix(lead, slots);
    books_.bin_list(cls_).insert(lead);
    ++bin_.regions;
    ++bin_.empty_regions;
    state_.hooks.on(Event::region_opened, lead, 0);
  }

  // Commit made the chunks [0, end) of the region writable.
  [[clang::requires_capability(role::Bin::held)]]
  void note_writable(std::uint32_t lead, std::uint32_t end) {
    const std::uint32_t slots = slots_of(books_.region(lead).cls);
    raise_writable(books_, lead, end);
    books_.region(lead).span_writable = writable_prefix(lead, slots);
  }

  // The slots from `slot` on, of which the caller has the records, have their first `end` chunks
  // (counted from `slot`) writable.
  template <class Books>
  static void raise_writable(const Books& books, std::uint32_t slot, std::uint64_t end) {
    for (; end > 0; ++slot) {
      const std::uint64_t here = std::min<std::uint64_t>(end, Plan::chunks_per_region);
      region_t& region = books.region(slot);
      region.writable = std::max(region.writable, static_cast<std::uint16_t>(here));
      end -= here;
    }
  }

  // As Items::retire_empty.
  template <class Closed>
  [[clang::requires_capability(role::Bin::held, role::Segments::held)]]
  void retire_empty(Closed closed) {
    const Map regions = books_.bin_regions(cls_);
    for (std::uint32_t lead = regions.first_from(0); lead != no_index;
         lead = regions.first_from(lead + 1)) {
      if (is_empty(books_.region(lead))) {
        closed(close_region(lead));
      }
    }
    assert(bin_.empty_regions == 0);
  }

  // Chunks of the region's prefix that must be writable for the block to be.
  static std::uint32_t chunks_through(Class bin, std::uint32_t block) {
    return (block + 1) << (Plan::block_shift(bin) - Plan::chunk_shift);
  }
  std::uint64_t offset_of(std::uint32_t lead, std::uint32_t block) const {
    return Plan::slot_start(lead) + (std::uint64_t{block} << Plan::block_shift(cls_));
  }
  static std::uint32_t slots_of(Class cls) {
    return Plan::is_small(cls) ? 1 : Plan::regions_per_segment;
  }

 private:
  struct Place {
    std::uint32_t lead, block;
    Problem problem;
  };
  Place place_of(std::uint64_t offset) const {
    const std::uint32_t lead = lead_of(offset);
    const std::uint64_t within = offset - Plan::slot_start(lead);
    const std::uint32_t block = static_cast<std::uint32_t>(within >> Plan::block_shift(cls_));
    const Problem problem = (within & (Plan::unit_bytes(cls_) - 1)) != 0 ? Problem::interior_pointer
                            : books_.free_blocks(lead).test(block) || is_held(lead, block)
                                ? Problem::double_free
                                : Problem::none;
    return {lead, block, problem};
  }

  // Held by a purger, or by growth because it is not writable yet: it looks used, but is free.
  bool is_held(std::uint32_t lead, std::uint32_t block) const {
    const region_t& region = books_.region(lead);
    return region.purged_block == block + 1 || chunks_through(cls_, block) > region.span_writable;
  }

  std::uint32_t chunks_per_block() const {
    return 1U << (Plan::block_shift(cls_) - Plan::chunk_shift);
  }
  bool is_empty(const region_t& region) const {
    return region.free_units == Plan::blocks_per_region(region.cls);
  }
  std::uint64_t dirty_bytes(std::uint32_t lead, std::uint32_t block) const {
    return books_.dirty_blocks(lead).test(block) ? Plan::unit_bytes(cls_) : 0;
  }

  std::uint16_t writable_prefix(std::uint32_t lead, std::uint32_t slots) const {
    std::uint32_t prefix = 0;
    for (std::uint32_t i = 0; i < slots; ++i) {
      prefix += books_.region(lead + i).writable;
      if (books_.region(lead + i).writable < Plan::chunks_per_region) {
        break;
      }
    }
    return static_cast<std::uint16_t>(prefix);
  }

  // The dirt of an unused slot becomes that of the blocks it reaches into.
  void inherit_dirt(std::uint32_t lead, std::uint32_t index) {
    region_t& region = books_.region(lead + index);
    if (region.dirty == 0) {
      return;
    }
    const std::uint32_t first_chunk = index * Plan::chunks_per_region;
    const std::uint32_t last_chunk = first_chunk + region.dirty - 1U;
    state_.uncount_dirty(region.dirty * Plan::chunk_bytes);
    for (std::uint32_t block = first_chunk / chunks_per_block();
         block <= last_chunk / chunks_per_block(); ++block) {
      if (books_.dirty_blocks(lead).put(block)) {
        state_.count_dirty(Plan::unit_bytes(cls_));
      }
    }
    region.dirty = 0;
  }

  // The dirt of the blocks becomes that of the slots they lie in.
  [[clang::requires_capability(role::Bin::held)]]
  Outcome close_region(std::uint32_t lead) {
    region_t& region = books_.region(lead);
    assert(is_empty(region));
    const std::uint32_t slots = slots_of(region.cls);
    books_.bin_list(cls_).remove(lead);
    --bin_.regions;
    --bin_.empty_regions;
    const Map dirty = books_.dirty_blocks(lead);
    for (std::uint32_t block = dirty.first_from(0); block != no_index;
         block = dirty.first_from(block + 1)) {
      state_.uncount_dirty(Plan::unit_bytes(cls_));
      leave_dirt(lead, block * chunks_per_block(), chunks_through(cls_, block));
    }
    // What is no region of blocks has one image of their sets.
    books_.free_blocks(lead).clear(Plan::blocks_per_region(region.cls));
    books_.dirty_blocks(lead).clear(Plan::blocks_per_region(region.cls));
    region.free_units = 0;
    region.span_writable = 0;
    for (std::uint32_t i = 0; i < slots; ++i) {
      state_.count_dirty(books_.region(lead + i).dirty * Plan::chunk_bytes);
      state_.publish_class(lead + i, Plan::unused);
    }
    state_.hooks.on(Event::region_closed, lead, 0);
    return {.closed_slot = lead, .closed_slots = slots};
  }

  void leave_dirt(std::uint32_t lead, std::uint32_t begin, std::uint32_t end) {
    for (std::uint32_t c = begin; c < end;
         c = (c / Plan::chunks_per_region + 1) * Plan::chunks_per_region) {
      const std::uint32_t slot = lead + c / Plan::chunks_per_region;
      const std::uint32_t slot_start = (slot - lead) * Plan::chunks_per_region;
      const std::uint32_t here = std::min(end - slot_start, Plan::chunks_per_region);
      // Nothing beyond the writable prefix was ever touched, whatever size its block has.
      region_t& region = books_.region(slot);
      region.dirty = std::max(
          region.dirty, static_cast<std::uint16_t>(std::min<std::uint32_t>(here, region.writable)));
    }
  }

  State& state_;
  const typename State::Books::OfBins& books_;
  bin_t& bin_;
  Class cls_;
};

}  // namespace strata
