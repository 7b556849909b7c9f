// Group A, chunks: the regions of one bin of items, and which of their chunks are free. Plain
// sequential code under the bin's lock. Items are in heap/items.hpp.
//
// A chunk is free (in its region's free set), partial (in the partial set: some item is free) or
// full (in neither). A chunk that somebody holds outside the books, for a system call, looks full.
#pragma once

#include <bit>
#include <cassert>

#include "heap/outcome.hpp"
#include "heap/state.hpp"

namespace strata {

template <class State>
class Chunks {
 protected:
  using Plan = typename State::Plan;
  using Map = typename State::Books::Map;
  using Class = typename State::Class;

 public:
  [[clang::requires_capability(role::Bin::held)]]
  Chunks(State& state, plan::Bin bin)
      : state_(state),
        books_(state.books.of_bins()),
        bin_(books_.bin(bin)),
        number_(bin),
        cls_(Plan::class_of(bin)) {
    assert(Plan::is_item(cls_));
  }

  // The lowest region from `from` on with a free chunk that is not writable yet, or no_index.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t growable_region(std::uint32_t from) const {
    const Map regions = books_.bin_regions(number_);
    for (std::uint32_t slot = regions.first_from(from); slot != no_index;
         slot = regions.first_from(slot + 1)) {
      if (books_.free_chunks(slot).first_from(books_.region(slot).writable) != no_index) {
        return slot;
      }
    }
    return no_index;
  }

  // Takes a free chunk out of its region's free set: for a system call on its pages, or to open it.
  [[clang::requires_capability(role::Bin::held)]]
  void hold_chunk(std::uint32_t slot, std::uint32_t c) {
    region_t& region = books_.region(slot);
    if (is_empty(region)) {
      --bin_.empty_regions;
    }
    const bool was_free = books_.free_chunks(slot).take(c);
    assert(was_free);
    (void)was_free;
    --region.free_units;
    state_.uncount_dirty(dirty_bytes(slot, c));
    state_.count_live(Plan::chunk_bytes);
    update_room(slot);
  }

  // The reverse. An empty region leaves the bin unless it is the only one.
  [[clang::requires_capability(role::Bin::held)]]
  Outcome release_chunk(std::uint32_t slot, std::uint32_t c) {
    region_t& region = books_.region(slot);
    const bool was_held = books_.free_chunks(slot).put(c);
    assert(was_held);
    (void)was_held;
    ++region.free_units;
    state_.uncount_live(Plan::chunk_bytes);
    state_.count_dirty(dirty_bytes(slot, c));
    update_room(slot);
    if (!is_empty(region)) {
      return {};
    }
    ++bin_.empty_regions;
    return bin_.empty_regions > 1 ? close_region(slot) : Outcome{};
  }

  // Makes a slot, which nobody else knows of and whose first chunks are writable, a region of this
  // class. Its dirt becomes that of its chunks.
  [[clang::requires_capability(role::Bin::held)]]
  void open_region(std::uint32_t slot) {
    region_t& region = books_.region(slot);
    assert(region.cls == Plan::unused && region.writable > 0 && bin_.empty_regions == 0);
    for (std::uint32_t c = 0; c < region.writable; ++c) {
      books_.chunk(slot, c) = {};
      books_.chunk(slot, c).dirty_pages = c < region.dirty ? all_pages : std::uint16_t{0};
    }
    region.dirty = 0;
    region.free_units = Plan::chunks_per_region;
    region.partial_chunks = 0;
    books_.free_chunks(slot).fill(Plan::chunks_per_region);
    books_.partial_chunks(slot).clear(Plan::chunks_per_region);
    state_.publish_class(slot, cls_);
    books_.bin_list(number_).insert(slot);
    ++bin_.regions;
    ++bin_.empty_regions;
    state_.hooks.on(Event::region_opened, slot, 0);
  }

 protected:
  static constexpr std::uint16_t all_pages =
      static_cast<std::uint16_t>((1U << Plan::pages_per_chunk) - 1);

  static bool is_empty(const region_t& region) {
    return region.free_units == Plan::chunks_per_region;
  }

  std::uint64_t dirty_bytes(std::uint32_t slot, std::uint32_t c) const {
    return static_cast<std::uint64_t>(std::popcount(books_.chunk(slot, c).dirty_pages)) *
           Plan::page_bytes;
  }

  void make_partial(std::uint32_t slot, std::uint32_t c) {
    books_.partial_chunks(slot).put(c);
    ++books_.region(slot).partial_chunks;
    update_room(slot);
  }
  // The caller brings the bin's list up to date, at once or by what it does next.
  void end_partial(std::uint32_t slot, std::uint32_t c) {
    books_.partial_chunks(slot).take(c);
    --books_.region(slot).partial_chunks;
  }

  // The bin's list holds exactly the regions with a free or partial chunk.
  void update_room(std::uint32_t slot) {
    const region_t& region = books_.region(slot);
    const bool has_room = region.free_units > 0 || region.partial_chunks > 0;
    auto list = books_.bin_list(number_);
    if (has_room != list.contains(slot)) {
      has_room ? list.insert(slot) : list.remove(slot);
    }
  }

  [[clang::requires_capability(role::Bin::held)]]
  Outcome close_region(std::uint32_t slot) {
    region_t& region = books_.region(slot);
    assert(is_empty(region) && region.partial_chunks == 0);
    books_.bin_list(number_).remove(slot);
    --bin_.regions;
    --bin_.empty_regions;
    for (std::uint32_t c = 0; c < region.writable; ++c) {
      if (books_.chunk(slot, c).dirty_pages != 0) {
        state_.uncount_dirty(dirty_bytes(slot, c));
        region.dirty = static_cast<std::uint16_t>(c + 1);
      }
    }
    state_.count_dirty(region.dirty * Plan::chunk_bytes);
    region.free_units = 0;
    state_.publish_class(slot, Plan::unused);
    state_.hooks.on(Event::region_closed, slot, 0);
    return {.closed_slot = slot, .closed_slots = 1};
  }

  State& state_;
  const typename State::Books::OfBins& books_;
  bin_t& bin_;
  plan::Bin number_;
  Class cls_;
};

}  // namespace strata
