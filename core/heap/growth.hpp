// Taking units from a bin, and making more of them: longer writable prefixes and new regions.
//
// Growth runs under the commit lock, so that prefixes change in one thread at a time, and holds no
// bin or segment lock over a call of Memory: it takes the unit or slot, calls, and puts it back.
// Whoever waited for the commit lock looks at its bin again before it grows it.
#pragma once

#include "heap/blocks.hpp"
#include "heap/items.hpp"
#include "heap/segments.hpp"

namespace strata {

// What is asked for. A larger class than the bin may serve it, if its units are aligned enough: 48
// B items lie where 32 B ones may not.
struct Request {
  plan::Class cls = 0;            // the lowest that can serve it; Plan::run for sizes above blocks
  std::uint64_t size_bytes = 1;   // at least 1
  std::uint64_t align_bytes = 1;  // a power of two
  plan::Shard shard = 0;          // whose bins come first
};

// Units taken from a bin. Items of a batch are never known to be zero.
struct Taken {
  std::uint32_t count = 0;
  bool known_zero = false;
  Range untouched{};  // of the heap, whole pages: what to populate once no lock is held
};

template <class State>
class Growth {
  using Plan = typename State::Plan;
  using Class = typename State::Class;
  using Bin = plan::Bin;
  using Shard = plan::Shard;
  using BinLock = typename State::BinLock;
  using Layout = typename State::Layout;

 public:
  explicit Growth(State& state) : state_(state), books_(state.books) {}

  // Up to `count` items, or one block, written downwards from `end`: whatever is writable already.
  [[clang::requires_capability(role::Bin::held)]]
  Taken take(Bin bin, Address* end, std::uint32_t count) {
    if (Plan::is_block(bin)) {
      const auto block = Blocks<State>(state_, bin).take();
      if (block.found) {
        end[-1] = state_.address_of(block.offset);
      }
      return {block.found ? 1U : 0U, block.known_zero};
    }
    const auto batch = Items<State>(state_, bin).take(end, count);
    return {batch.count, false, batch.untouched};
  }

  // The same of a bin whose lock is not held.
  Taken take_ready(Bin bin, Address* end, std::uint32_t count) {
    const auto lock = state_.lock_bin(bin);
    return take(bin, end, count);
  }

  // One unit of the lowest larger class that has any ready. For an item it is at most four times as
  // large: what is free further up may be retired and serve many, but not once one is in it.
  Taken take_larger(const Request& request, Address* end) {
    const std::uint64_t bytes_max = Plan::is_item(request.cls)
                                        ? larger_max * Plan::unit_bytes(request.cls)
                                        : Plan::segment_bytes;
    for (Class larger = request.cls + 1;
         larger <= Plan::last_block && Plan::unit_bytes(larger) <= bytes_max; ++larger) {
      const Request of_larger = {larger, request.size_bytes, request.align_bytes, request.shard};
      const Taken taken =
          can_serve(larger, request) ? take_ready_of_all(of_larger, end, 1) : Taken{};
      if (taken.count > 0) {
        return taken;
      }
    }
    return {};
  }

  // Looks again, extends a region of the bin, takes what its siblings have ready, opens a new one;
  // where that cannot be, a sibling grows.
  [[clang::requires_capability(role::Commit::held)]]
  Taken grow(const Request& request, Address* end, std::uint32_t count) {
    Taken taken;
    for (Shard i = 0; i < state_.shards_of(request.cls) && taken.count == 0; ++i) {
      Request next = request;
      next.shard = (request.shard + i) % state_.shards();
      taken = grow_in_shard(next, end, count);
    }
    return taken;
  }

  static constexpr std::uint64_t larger_max = 4;

  // Made writable by this.
  std::uint64_t grown_bytes() const { return grown_chunks_ * Plan::chunk_bytes; }

  static bool can_serve(Class larger, const Request& request) {
    return Plan::unit_align(larger) >= request.align_bytes;
  }

  // Huge pages were advised for what used the slots before. Blocks and runs that may mean to touch
  // little have small ones; items keep them until a purge finds their region sparse.
  [[clang::requires_capability(role::Commit::held, !role::Bin::held, !role::Segments::held)]]
  void withdraw_advice(std::uint32_t first, std::uint32_t slots) {
    for (std::uint32_t slot = first; slot < first + slots; ++slot) {
      region_t& region = books_.of_growth().region(slot);
      if (region.pages == Pages::huge) {
        state_.advise(std::uint64_t{slot} << Plan::region_shift, Plan::region_bytes, Pages::small);
        region.pages = Pages::small;
      }
    }
  }

  // Gives the slots of a region that left its bin back to their segment.
  [[clang::requires_capability(!role::Segments::held)]]
  void close(const Outcome& outcome) {
    if (outcome.closed_slots > 0) {
      const auto lock = state_.lock_segments();
      Segments<State>(state_).put_slots(outcome.closed_slot, outcome.closed_slots);
    }
  }

 private:
  // Whatever is writable already in any shard, its own first.
  Taken take_ready_of_all(const Request& request, Address* end, std::uint32_t count) {
    for (Shard i = 0; i < state_.shards_of(request.cls); ++i) {
      const Shard shard = (request.shard + i) % state_.shards();
      const Taken taken = take_ready(Plan::bin_in(shard, request.cls), end, count);
      if (taken.count > 0) {
        return taken;
      }
    }
    return {};
  }

  [[clang::requires_capability(role::Commit::held)]]
  Taken grow_in_shard(const Request& request, Address* end, std::uint32_t count) {
    Bin bin = Plan::bin_in(request.shard, request.cls);
    Taken taken = extend(bin, end, count);
    if (taken.count == 0 && state_.shards_of(request.cls) > 1) {
      taken = take_ready_of_all(request, end, count);
    }
    if (taken.count == 0 && should_share(bin)) {
      taken = take_larger(request, end);
      if (taken.count == 0 && Plan::is_block(bin) && bin < shared_block) {
        taken = extend(shared_block, end, count);
        // One region is for all to share; where it is full each has its own again, which holds
        // more.
        if (taken.count == 0 && !has_region(shared_block)) {
          bin = shared_block;
        }
      }
    }
    return taken.count > 0 ? taken : open(bin, end, count);
  }

  // With a quarter of the slots left, a class of items that has no region shares a larger one's
  // rather than open its first; a class of blocks, whose unused end costs nothing, with half of
  // them. What is left goes to sizes that nothing open can serve.
  bool should_share(Bin bin) {
    if (has_region(bin)) {
      return false;
    }
    const auto lock = state_.lock_segments();
    const auto& control = books_.control();
    const std::uint32_t slots = control.end_slot - control.first_slot;
    const std::uint32_t free_slots = books_.of_segments().unused().free_slots;
    return free_slots <= (Plan::is_block(bin) ? slots / 2 : slots / 4);
  }
  bool has_region(Bin bin) {
    const auto lock = state_.lock_bin(bin);
    return books_.of_bins().bin(bin).regions > 0;
  }
  // Then smaller blocks come from regions of this size: 1 MiB, 32 to a slot.
  static constexpr Class shared_block =
      std::min(Plan::first_block + 4, Plan::bin_of(Plan::last_small));

  [[clang::requires_capability(role::Commit::held)]]
  Taken extend(Bin bin, Address* end, std::uint32_t count) {
    auto lock = state_.lock_bin(bin);
    Taken taken = take(bin, end, count);
    std::uint32_t slot = 0;
    while (taken.count == 0) {
      slot = Plan::is_block(bin) ? Blocks<State>(state_, bin).growable_region(slot)
                                 : Items<State>(state_, bin).growable_region(slot);
      if (slot == no_index) {
        break;
      }
      Plan::is_block(bin) ? extend_blocks(bin, slot, lock) : extend_items(bin, slot, lock);
      taken = take(bin, end, count);
      ++slot;
    }
    return taken;
  }

  // A refusal is just "not further now": the chunk goes back and nothing has changed.
  [[clang::requires_capability(role::Commit::held, role::Bin::held)]]
  void extend_items(Bin bin, std::uint32_t slot, BinLock& lock) {
    Items<State> items(state_, bin);
    region_t& region = books_.of_bins().region(slot);
    const std::uint32_t c = region.writable;
    const Pages pages = region.pages;
    items.hold_chunk(slot, c);  // pins the region
    lock.release();
    const std::uint32_t step = std::min(c, Plan::growth_chunks_max);
    const std::uint32_t doubled = std::min(c + step, Plan::chunks_per_region);
    std::uint32_t end = c;
    if (commit_chunks(slot, c, doubled)) {
      end = doubled;
    } else if (commit_chunks(slot, c, c + 1)) {
      end = c + 1;
    }
    const Pages advised = end > c ? advise(Plan::class_of(bin), slot, 1, end, pages) : pages;
    lock.retake();
    note_advice(slot, 1, advised);
    region.writable = static_cast<std::uint16_t>(end);
    close(items.release_chunk(slot, c));
  }

  [[clang::requires_capability(role::Commit::held, role::Bin::held)]]
  void extend_blocks(Class bin, std::uint32_t lead, BinLock& lock) {
    Blocks<State> blocks(state_, bin);
    const region_t& region = books_.of_bins().region(lead);
    const std::uint32_t block = books_.of_bins().free_blocks(lead).first();
    const std::uint32_t from = region.span_writable;
    const std::uint32_t to = blocks.chunks_through(bin, block);
    const std::uint32_t slots = blocks.slots_of(region.cls);
    const Pages pages = advice(lead, slots);
    blocks.hold_block(lead, block);  // pins the region
    lock.release();
    const bool committed = commit_chunks(lead, from, to);
    const Pages advised = committed ? advise(bin, lead, slots, to, pages) : pages;
    lock.retake();
    note_advice(lead, slots, advised);
    if (committed) {
      blocks.note_writable(lead, to);
    }
    close(blocks.release_block(lead, block));
  }

  // A new region: a slot of its shard for items; for blocks a segment, or a slot where segments are
  // few.
  [[clang::requires_capability(role::Commit::held)]]
  Taken open(Bin bin, Address* end, std::uint32_t count) {
    if (!Plan::is_block(bin)) {
      return open_as(bin, Plan::class_of(bin), end, count);
    }
    const Class small = Plan::small_of(bin);
    const bool has_small = Plan::is_small(small);
    const bool small_first = has_small && books_.segments() < few_segments;
    Taken taken;
    if (small_first) {
      taken = open_as(bin, small, end, count);
    }
    if (taken.count == 0) {
      taken = open_as(bin, bin, end, count);
    }
    if (taken.count == 0 && has_small && !small_first) {
      taken = open_as(bin, small, end, count);
    }
    return taken;
  }

  [[clang::requires_capability(role::Commit::held)]]
  Taken open_as(Bin bin, Class cls, Address* end, std::uint32_t count) {
    const bool is_item = Plan::is_item(cls);
    const bool whole_segment = Plan::is_block(cls);
    std::uint32_t slot = no_index;
    {
      const auto lock = state_.lock_segments();
      Segments<State> segments(state_);
      slot = whole_segment ? segments.take_segment()
             : is_item     ? segments.take_slot_of(Plan::shard_of(bin))
                           : segments.take_slot();
    }
    if (slot == no_index) {
      return {};
    }
    // Until it is opened, nobody else knows of the slot.
    const std::uint32_t slots = whole_segment ? Plan::regions_per_segment : 1;
    const bool ready = commit_first(slot, slots, Plan::class_of(bin));
    auto lock = state_.lock_bin(bin);
    Taken taken = take(bin, end, count);  // somebody may have put units back meanwhile
    if (taken.count > 0 || !ready) {
      close({.closed_slot = slot, .closed_slots = slots});
      return taken;
    }
    if (is_item) {
      Items<State>(state_, bin).open_region(slot);
    } else {
      Blocks<State>(state_, bin).open_region(slot, cls);
    }
    return take(bin, end, count);
  }

  // Book, item map and first units of a slot. What was written of it so far stays as it is unless
  // all of it succeeds.
  [[clang::requires_capability(role::Commit::held)]]
  bool commit_first(std::uint32_t slot, std::uint32_t slots, Class bin) {
    region_t& region = books_.of_growth().region(slot);
    if (region.books_ready == 0 &&
        !(state_.commit(Space::books, slot * Layout::book_bytes, Layout::book_bytes) &&
          state_.commit(Space::item_map, slot * Layout::item_map_bytes, Layout::item_map_bytes))) {
      return false;
    }
    const std::uint32_t least = Plan::is_item(bin) ? 1 : Blocks<State>::chunks_through(bin, 0);
    std::uint32_t chunks = Plan::is_item(bin) ? Plan::initial_chunks : least;
    if (region.writable < least) {
      if (!commit_chunks(slot, 0, chunks)) {
        chunks = least;
        if (Plan::initial_chunks == least || !commit_chunks(slot, 0, least)) {
          return false;
        }
      }
      Blocks<State>::raise_writable(books_.of_growth(), slot, chunks);
    }
    region.books_ready = 1;
    if (!Plan::is_item(bin) && !suits_huge_pages(bin, least)) {
      withdraw_advice(slot, slots);
    }
    note_advice(slot, slots, advise(bin, slot, slots, least, advice(slot, slots)));
    return true;
  }

  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  bool commit_chunks(std::uint32_t slot, std::uint32_t from, std::uint32_t to) {
    const bool committed = state_.commit(
        Space::heap,
        (std::uint64_t{slot} << Plan::region_shift) + (std::uint64_t{from} << Plan::chunk_shift),
        std::uint64_t{to - from} << Plan::chunk_shift);
    grown_chunks_ += committed ? to - from : 0;
    return committed;
  }

  // Asks for huge pages if they suit what `chunks` of a bin's region are writable for, and `now` is
  // what was advised last: page faults are most of what growth costs, and a huge page costs a fifth
  // of the small ones in it. Something in the slots is held, no bin's lock is; whoever has it next
  // notes the advice. (Advice of two threads may reach the system in another order than the books.)
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  Pages advise(Class bin, std::uint32_t slot, std::uint32_t slots, std::uint32_t chunks,
               Pages now) {
    if (!suits_huge_pages(bin, chunks) || now == Pages::huge) {
      return now;
    }
    state_.advise(std::uint64_t{slot} << Plan::region_shift,
                  std::uint64_t{slots} << Plan::region_shift, Pages::huge);
    return Pages::huge;
  }
  // What was advised last for all of the slots: they may have been apart before.
  [[clang::requires_capability(role::Commit::held)]]
  Pages advice(std::uint32_t slot, std::uint32_t slots) const {
    Pages all = Pages::huge;
    for (std::uint32_t i = 0; i < slots; ++i) {
      all = std::min(all, books_.of_growth().region(slot + i).pages);
    }
    return all;
  }
  [[clang::requires_capability(role::Commit::held)]]
  void note_advice(std::uint32_t slot, std::uint32_t slots, Pages pages) {
    for (std::uint32_t i = 0; pages == Pages::huge && i < slots; ++i) {
      books_.of_growth().region(slot + i).pages = pages;
    }
  }

  // Items of regions that fill up; and blocks that are no less than two huge pages, so that what is
  // resident is at most twice what was asked for, nor so large that a program may mean to touch
  // little of them.
  static bool suits_huge_pages(Class bin, std::uint32_t writable_chunks) {
    if (Plan::is_item(bin)) {
      return writable_chunks >= Plan::dense_chunks;
    }
    const std::uint64_t chunks = Plan::unit_bytes(bin) >> Plan::chunk_shift;
    return chunks >= huge_block_chunks_min && chunks <= huge_block_chunks_max;
  }
  static constexpr std::uint64_t huge_block_chunks_min = Plan::growth_chunks_max;       // 4 MiB
  static constexpr std::uint64_t huge_block_chunks_max = 32 * Plan::growth_chunks_max;  // 128 MiB

  // Below this a block region of a whole segment would eat too much of the space.
  static constexpr std::uint32_t few_segments = 64;

  State& state_;
  const typename State::Books& books_;
  std::uint64_t grown_chunks_ = 0;
};

}  // namespace strata
