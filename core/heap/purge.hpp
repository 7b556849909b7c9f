// Giving the pages of what is free back to the system, while others work: take what is free and
// dirty out of its bin, let the system drop it, put it back clean (dirty again, if it refused).
//
// Highest addresses go first: they are used again last.
#pragma once

#include <array>

#include "heap/blocks.hpp"
#include "heap/growth.hpp"
#include "heap/purge_chunks.hpp"
#include "heap/segments.hpp"

namespace strata {

template <class State>
class Purge {
  using Plan = typename State::Plan;
  using Bin = plan::Bin;
  using Class = plan::Class;
  using Shard = plan::Shard;
  using BinLock = typename State::BinLock;
  using Map = typename State::Books::Map;

 public:
  explicit Purge(State& state) : state_(state), books_(state.books) {}

  // Chunks of unused slots, whole free blocks and chunks, until no more than `goal_bytes` of them
  // are dirty; those of `warm`, the bin of which something was freed last, after all others.
  // Returns how many bytes the system refused to drop.
  [[clang::requires_capability(role::Purge::held)]]
  std::uint64_t whole_units(std::uint64_t goal_bytes, Bin warm) {
    aim_ = {.goal_bytes = goal_bytes};
    all_but(warm);
    bin(warm);
    return refused_bytes_;
  }

  // The same for what something grew by: of other bins, and of units that are no larger. Unused
  // slots are many, and have to be searched: not for less than search_bytes_min. Free chunks are
  // more: a growth looks at some of them only, or its cost would be that of the heap.
  [[clang::requires_capability(role::Purge::held)]]
  std::uint64_t units_up_to(std::uint64_t unit_bytes, std::uint64_t goal_bytes, Bin warm) {
    aim_ = {.goal_bytes = goal_bytes, .looks = growth_looks_max};
    if (unit_bytes >= search_bytes_min) {
      unused_slots();
    }
    Class last = Plan::item_classes;
    while (last < Plan::last_block && Plan::unit_bytes(last + 1) <= unit_bytes) {
      ++last;
    }
    bins_through(last, warm);
    return refused_bytes_;
  }
  static constexpr std::uint64_t search_bytes_min = Plan::region_bytes / 32;      // 1 MiB
  static constexpr std::uint32_t growth_looks_max = 4 * Plan::chunks_per_region;  // some 5 us

  // Everything free and dirty, page by page where chunks are partly used.
  [[clang::requires_capability(role::Purge::held)]]
  void everything() {
    aim_ = {.by_page = true};
    all_but(Plan::unused);
  }

  // The same, but for chunks from which something was taken within the last second; and no huge
  // page is divided in a region of which half is in use.
  [[clang::requires_capability(role::Purge::held)]]
  void everything_cold() {
    aim_ = {.by_page = true, .keep_huge = true, .keep_warm = true};
    all_but(Plan::unused);
  }

 private:
  static constexpr std::uint32_t no_limit = ~std::uint32_t{0};

  [[clang::requires_capability(role::Purge::held)]]
  void all_but(Bin warm) {
    unused_slots();
    bins_through(Plan::last_block, warm);
  }
  [[clang::requires_capability(role::Purge::held)]]
  void bins_through(Class last, Bin warm) {
    for (Class cls = last; cls > Plan::unused; --cls) {
      for (Shard shard = 0; shard < state_.shards_of(cls); ++shard) {
        const Bin bin = Plan::bin_in(shard, cls);
        if (bin != warm) {
          this->bin(bin);
        }
      }
    }
  }

  [[clang::requires_capability(role::Purge::held)]]
  void bin(Bin bin) {
    if (is_done() || bin == Plan::unused) {
      return;
    }
    if (Plan::is_block(bin)) {
      blocks(bin);
    } else {
      refused_bytes_ += PurgeChunks<State>(state_, aim_, bin).run();
    }
  }

  bool is_done() const { return aim_.is_reached(state_); }

  // --- Unused slots ---------------------------------------------------------------------------
  [[clang::requires_capability(role::Purge::held)]]
  void unused_slots() {
    auto lock = state_.lock_segments();
    Segments<State> segments(state_);
    const auto& control = books_.control();
    for (std::uint32_t slot = control.end_slot; slot-- > control.first_slot &&
                                                books_.of_segments().unused().dirty_slots > 0 &&
                                                !is_done();) {
      if (!segments.is_unused(slot) || books_.of_segments().region(slot).dirty == 0) {
        continue;
      }
      segments.hold_slot(slot);
      lock.release();
      purge_slot(slot, aim_.excess_bytes(state_));
      lock.retake();
      segments.put_slot(slot);
    }
  }

  // The excess goes, rounded up to chunks, or to huge pages, which are not divided; and something
  // does, as others may have brought the excess to nothing by now.
  [[clang::requires_capability(role::Purge::held, !role::Bin::held, !role::Segments::held)]]
  void purge_slot(std::uint32_t slot, std::uint64_t excess_bytes) {
    region_t& region = books_.of_purge().region(slot);
    const std::uint64_t dirty_bytes = region.dirty * Plan::chunk_bytes;
    const std::uint64_t step =
        Plan::chunk_bytes * (region.pages == Pages::huge ? Plan::huge_page_chunks : 1);
    const std::uint64_t kept_bytes =
        (dirty_bytes - std::clamp<std::uint64_t>(excess_bytes, 1, dirty_bytes)) & ~(step - 1);
    const std::uint64_t begin = Plan::slot_start(slot);
    if (state_.decommit(Space::heap, begin + kept_bytes, dirty_bytes - kept_bytes)) {
      state_.uncount_dirty(dirty_bytes - kept_bytes);
      region.dirty = static_cast<std::uint16_t>(kept_bytes >> Plan::chunk_shift);
    } else {
      refused_bytes_ += dirty_bytes;  // all of it may be locked
    }
  }

  // --- Group B --------------------------------------------------------------------------------
  [[clang::requires_capability(role::Purge::held)]]
  void blocks(Class bin) {
    auto lock = state_.lock_bin(bin);
    const Map regions = books_.of_bins().bin_regions(bin);
    for (std::uint32_t lead = regions.last_before(books_.slots()); lead != no_index;
         lead = regions.last_before(lead)) {
      // A closed region's books are no longer this bin's: its bit in the bin's set says so.
      for (std::uint32_t block = next_block(bin, lead, no_limit); block != no_index && !is_done();
           block = next_block(bin, lead, block)) {
        purge_block(bin, lead, block, lock);
      }
    }
  }

  // The highest free dirty block below `limit`, or no_index; none once the region has left the bin.
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t next_block(Class bin, std::uint32_t lead, std::uint32_t limit) const {
    const auto& books = books_.of_bins();
    if (!books.bin_regions(bin).test(lead)) {
      return no_index;
    }
    const std::uint32_t blocks = Plan::blocks_per_region(books.region(lead).cls);
    return books.dirty_blocks(lead).last_in_both_before(books.free_blocks(lead),
                                                        std::min(limit, blocks));
  }

  // What is writable of a block, slot by slot: one that was never handed out may have inherited the
  // dirt of slots that are writable in part.
  struct WritableParts {
    std::array<Range, Plan::regions_per_segment> at;
    std::uint32_t count = 0;
  };
  [[clang::requires_capability(role::Bin::held)]]
  WritableParts writable_parts(std::uint64_t begin, Class bin) const {
    WritableParts parts;
    const std::uint64_t end = begin + Plan::unit_bytes(bin);
    for (std::uint64_t slot = Plan::slot_of(begin); Plan::slot_start(slot) < end; ++slot) {
      const std::uint64_t start = Plan::slot_start(slot);
      const region_t& region = books_.of_bins().region(static_cast<std::uint32_t>(slot));
      const Range part = {std::max(begin, start),
                          std::min(end, start + region.writable * Plan::chunk_bytes)};
      if (part.begin < part.end) {
        parts.at[parts.count++] = part;
      }
    }
    return parts;
  }

  [[clang::requires_capability(role::Bin::held)]]
  void purge_block(Class bin, std::uint32_t lead, std::uint32_t block, BinLock& lock) {
    Blocks<State> blocks(state_, bin);
    blocks.hold_block(lead, block);
    books_.of_bins().region(lead).purged_block = block + 1;
    const WritableParts parts = writable_parts(blocks.offset_of(lead, block), bin);
    lock.release();
    bool gone = true;
    for (std::uint32_t i = 0; i < parts.count; ++i) {
      const Range part = parts.at[i];
      gone = state_.decommit(Space::heap, part.begin, part.end - part.begin) && gone;
    }
    lock.retake();
    books_.of_bins().region(lead).purged_block = 0;
    if (gone) {
      books_.of_bins().dirty_blocks(lead).take(block);
      state_.hooks.on(Event::purged, lead, block);
    } else {
      refused_bytes_ += Plan::unit_bytes(bin);
    }
    Growth<State>(state_).close(blocks.release_block(lead, block));
  }

  State& state_;
  const typename State::Books& books_;
  PurgeAim aim_;
  std::uint64_t refused_bytes_ = 0;
};

}  // namespace strata
