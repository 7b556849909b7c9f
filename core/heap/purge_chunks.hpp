// Giving pages of group A back: whole free chunks, and where asked free pages of partly used ones.
// In batches: hold some under the bin's lock, let the system drop them, put them back clean.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>

#include "heap/growth.hpp"
#include "heap/items.hpp"

namespace strata {

// How far a purge goes.
struct PurgeAim {
  std::uint64_t goal_bytes = 0;  // whole units until no more than this is dirty ...
  bool by_page = false;          // ... or all, free pages of partly used chunks included
  bool keep_huge = false;        // but no huge page is divided in a region of which half is in use
  bool keep_warm = false;        // nor is a chunk purged from which something was taken just now
  std::uint32_t looks = ~0U;     // at free chunks, that are left: a heap may have millions

  // What is dirty in partly used chunks is not counted, so that going by page ends with the books.
  template <class State>
  std::uint64_t excess_bytes(const State& state) const {
    const std::uint64_t dirty = state.dirty_bytes();
    return by_page ? ~std::uint64_t{0} : dirty - std::min(dirty, goal_bytes);
  }
  template <class State>
  bool is_reached(const State& state) const {
    return looks == 0 || excess_bytes(state) == 0;
  }
};

template <class State>
class PurgeChunks {
  using Plan = typename State::Plan;
  using Class = typename State::Class;
  using BinLock = typename State::BinLock;
  using Map = typename State::Books::Map;

 public:
  PurgeChunks(State& state, PurgeAim& aim, plan::Bin bin)
      : state_(state),
        books_(state.books),
        aim_(aim),
        bin_(bin),
        cls_(Plan::class_of(bin)),
        now_(state.quarter()) {}

  // Returns how many bytes of free chunks the system refused to drop.
  [[clang::requires_capability(role::Purge::held)]]
  std::uint64_t run() {
    auto lock = state_.lock_bin(bin_);
    const Map regions = books_.of_bins().bin_regions(bin_);
    for (std::uint32_t slot = regions.last_before(books_.slots()); slot != no_index;
         slot = regions.last_before(slot)) {
      const bool by_page = aim_.by_page && may_divide(slot, lock);
      std::uint32_t limit = Plan::chunks_per_region;
      // The region leaves the bin's list when its last unit is taken, or when it is closed.
      while (limit > 0 && regions.test(slot) && !aim_.is_reached(state_)) {
        Batch batch;
        limit = collect(slot, limit, by_page, batch);
        if (batch.count > 0) {
          purge_batch(slot, batch, lock);
        } else if (aim_.by_page) {
          lock.give_way();
        } else {
          // Growth, with the commit lock, or a free waits for this one: no rest.
          lock.release();
          lock.retake();
        }
      }
    }
    return refused_bytes_;
  }

 private:
  // Pages [first_page, end_page) of a chunk, and the items on them; a chunk that is wholly free is
  // held as such.
  struct Held {
    std::uint32_t chunk;
    std::uint32_t first_page, end_page;
    std::uint32_t first_item, last_item;
    bool whole;
    bool gone = false;  // the system has dropped them

    std::uint64_t begin() const { return at(first_page); }
    std::uint64_t end() const { return at(end_page); }

   private:
    std::uint64_t at(std::uint32_t page) const {  // bytes from the start of the region
      return Plan::chunk_start(0, chunk) + (std::uint64_t{page} << Plan::page_shift);
    }
  };

  // A bounded batch for one visit to the bin's lock, in which no more than some chunks are searched
  // page by page: a quarter of a microsecond each, and a heap may have a hundred thousand.
  struct Batch {
    static constexpr std::uint32_t capacity = 80;
    static constexpr std::uint32_t searched_max = 32;
    // What one chunk can add: as many runs as half its pages, and one.
    static constexpr std::uint32_t runs_max = Plan::pages_per_chunk / 2 + 1;

    std::array<Held, capacity> held;
    std::uint32_t count = 0;
    std::uint32_t searched = 0;

    // Whether the chunk below `limit` is for the next batch: it may not fit, or would divide a huge
    // page, whose other half would have small ones from then on.
    bool ends_at(std::uint32_t limit) const {
      const bool divides = limit % Plan::huge_page_chunks == 0 &&
                           count + Plan::huge_page_chunks > capacity - runs_max;
      return divides || count + runs_max > capacity || searched == searched_max;
    }
  };

  // Holds free dirty pages of the chunks below `limit`, highest first. Returns the next limit.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t collect(std::uint32_t slot, std::uint32_t limit, bool by_page, Batch& batch) {
    // Beyond the writable prefix all is free and clean.
    limit = std::min<std::uint32_t>(limit, books_.of_bins().region(slot).writable);
    // What is held is not dirty any more.
    while (limit > 0 && !batch.ends_at(limit) && !aim_.is_reached(state_)) {
      const std::uint32_t free = books_.of_bins().free_chunks(slot).last_before(limit);
      const std::uint32_t partial =
          by_page ? books_.of_bins().partial_chunks(slot).last_before(limit) : no_index;
      if (free == no_index && partial == no_index) {
        return 0;
      }
      if (partial == no_index || (free != no_index && free > partial)) {
        collect_free(slot, free, batch);
        limit = free;
      } else {
        collect_pages(slot, partial, batch);
        limit = partial;
      }
    }
    return limit;
  }

  [[clang::requires_capability(role::Bin::held)]]
  void collect_free(std::uint32_t slot, std::uint32_t c, Batch& batch) {
    assert(c < books_.of_bins().region(slot).writable);
    --aim_.looks;
    const chunk_t& chunk = books_.of_bins().chunk(slot, c);
    if (chunk.dirty_pages != 0 && !is_warm(chunk)) {
      Items<State>(state_, bin_).hold_chunk(slot, c);
      hold(slot, {c, 0, Plan::pages_per_chunk, 0, 0, true}, batch);
    }
  }

  static constexpr std::uint16_t warm_quarters = State::quarters_per_delay;
  // Whether it was in use within the last period. It is again soon, more often than not.
  bool is_warm(const chunk_t& chunk) const {
    // Or since the purge began: the difference is negative then.
    return aim_.keep_warm &&
           static_cast<std::uint16_t>(now_ - chunk.taken_at + warm_quarters) < 2 * warm_quarters;
  }

  [[clang::requires_capability(role::Bin::held)]]
  void hold(std::uint32_t slot, const Held& held, Batch& batch) {
    books_.of_bins().chunk(slot, held.chunk).held_pages |= page_mask(held);
    batch.held[batch.count++] = held;
  }
  static std::uint16_t page_mask(const Held& held) {
    return static_cast<std::uint16_t>((1U << held.end_page) - (1U << held.first_page));
  }

  // Maximal runs of pages on which no item is used, if they have dirt. Two runs never share an
  // item: one that reached over the page between them would be all that is on that page, and free.
  [[clang::requires_capability(role::Bin::held)]]
  void collect_pages(std::uint32_t slot, std::uint32_t c, Batch& batch) {
    chunk_t& chunk = books_.of_bins().chunk(slot, c);
    if (chunk.searched != 0 || is_warm(chunk) ||
        (chunk.free_items + 1U) * Plan::unit_bytes(cls_) < Plan::page_bytes) {
      return;  // at the last, not one whole page, with what is left behind the last item
    }
    ++batch.searched;
    chunk.searched = 1;  // holding items takes that back when they return
    const std::uint32_t dirty = chunk.dirty_pages;
    for (std::uint32_t page = 0; page < Plan::pages_per_chunk && dirty >> page != 0; ++page) {
      const std::uint32_t end = end_of_free_pages(slot, c, page);
      const std::uint32_t mask = (1U << end) - (1U << page);
      if (end > page && (dirty & mask) != 0) {
        const Held held = {c, page, end, first_item(page), last_item(end - 1), false};
        Items<State>(state_, bin_).hold_items(slot, c, held.first_item, held.last_item);
        hold(slot, held, batch);
      }
      page = end > page ? end : page;
    }
  }

  // Pages behind the last item, which some of Quarter's classes have, go with that item: holding it
  // pins the chunk while the system drops them.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t end_of_free_pages(std::uint32_t slot, std::uint32_t c, std::uint32_t page) const {
    const Map items = books_.of_bins().free_items(slot, c);
    while (page < Plan::pages_per_chunk && items.test_all(first_item(page), last_item(page))) {
      ++page;
    }
    return page;
  }

  std::uint32_t first_item(std::uint32_t page) const {
    return item_at(std::uint64_t{page} << Plan::page_shift);
  }
  std::uint32_t last_item(std::uint32_t page) const {
    return item_at(((std::uint64_t{page} + 1) << Plan::page_shift) - 1);
  }
  std::uint32_t item_at(std::uint64_t byte) const {
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(
        Plan::template item_index<std::uint64_t>(cls_, byte), Plan::items_per_chunk(cls_) - 1));
  }

  [[clang::requires_capability(role::Bin::held)]]
  void purge_batch(std::uint32_t slot, Batch& batch, BinLock& lock) {
    lock.release();
    decommit(slot, batch);
    lock.retake();
    Items<State> items(state_, bin_);
    for (std::uint32_t i = 0; i < batch.count; ++i) {
      const Held& held = batch.held[i];
      chunk_t& chunk = books_.of_bins().chunk(slot, held.chunk);
      chunk.held_pages &= static_cast<std::uint16_t>(~page_mask(held));
      if (held.gone) {
        chunk.dirty_pages &= static_cast<std::uint16_t>(~page_mask(held));
        state_.hooks.on(Event::purged, slot, held.chunk);
      } else {  // only purges of whole units look at the sum
        refused_bytes_ += static_cast<std::uint32_t>(std::popcount(chunk.dirty_pages)) *
                          std::uint64_t{Plan::page_bytes};
      }
      Growth<State>(state_).close(
          held.whole ? items.release_chunk(slot, held.chunk)
                     : items.release_items(slot, held.chunk, held.first_item, held.last_item));
    }
  }

  // One call for neighbours: they come highest first.
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  void decommit(std::uint32_t slot, Batch& batch) {
    for (std::uint32_t i = 0, next = 0; i < batch.count; i = next) {
      for (next = i + 1;
           next < batch.count && batch.held[next].end() == batch.held[next - 1].begin();) {
        ++next;
      }
      const std::uint64_t begin = batch.held[next - 1].begin();
      const bool gone =
          state_.decommit(Space::heap, Plan::slot_start(slot) + begin, batch.held[i].end() - begin);
      for (std::uint32_t j = i; j < next; ++j) {
        batch.held[j].gone = gone;
      }
    }
  }

  // Whether a region is purged by page. If huge pages were advised for it, it loses them then.
  [[clang::requires_capability(role::Bin::held)]]
  bool may_divide(std::uint32_t slot, BinLock& lock) {
    region_t& region = books_.of_bins().region(slot);
    if (region.pages != Pages::huge) {
      return true;
    }
    if (aim_.keep_huge && free_bytes(slot) < region.writable * Plan::chunk_bytes / 2) {
      return false;
    }
    region.pages = Pages::small;
    lock.release();
    state_.advise(Plan::slot_start(slot), Plan::region_bytes, Pages::small);
    lock.retake();
    return true;
  }

  // What is free of a region's writable prefix, but for remainders behind last items.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint64_t free_bytes(std::uint32_t slot) const {
    const std::uint32_t writable = books_.of_bins().region(slot).writable;
    const std::uint32_t beyond = Plan::chunks_per_region - writable;  // free chunks, not writable
    std::uint64_t bytes = (books_.of_bins().region(slot).free_units - beyond) * Plan::chunk_bytes;
    const Map partial = books_.of_bins().partial_chunks(slot);
    for (std::uint32_t c = partial.first_from(0); c != no_index; c = partial.first_from(c + 1)) {
      bytes += books_.of_bins().chunk(slot, c).free_items * Plan::unit_bytes(cls_);
    }
    return bytes;
  }

  State& state_;
  const typename State::Books& books_;
  PurgeAim& aim_;
  plan::Bin bin_;
  Class cls_;
  std::uint16_t now_;
  std::uint64_t refused_bytes_ = 0;
};

}  // namespace strata
