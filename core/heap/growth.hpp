// Taking units from a bin, and making more of them: longer writable prefixes and new regions.
//
// Growth runs under the commit lock, so that prefixes change in one thread at a time (but for those
// of live runs), and holds no bin or segment lock over a call of Memory: it takes the unit or slot,
// calls, and puts it back. Whoever waited for the commit lock looks at its bin again before it
// grows it.
#pragma once

#include "heap/blocks.hpp"
#include "heap/items.hpp"
#include "heap/prefixes.hpp"
#include "heap/scarcity.hpp"
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

  // One unit of the lowest larger class that has any ready.
  Taken take_larger(const Request& request, Address* end) {
    const std::uint64_t unit_max = Plan::is_item(request.cls)
                                       ? Scarcity<State>::larger_max * Plan::unit_bytes(request.cls)
                                       : Plan::segment_bytes;
    for (Class larger = request.cls + 1;
         larger <= Plan::last_block && Plan::unit_bytes(larger) <= unit_max; ++larger) {
      const Request of_larger = {larger, request.size_bytes, request.align_bytes, request.shard};
      const Taken taken =
          can_serve(larger, request) ? take_ready_of_all(of_larger, end, 1) : Taken{};
      if (taken.count > 0) {
        return taken;
      }
    }
    return {};
  }

  // Looks again, extends a region of the bin, takes what its siblings have ready (but not for
  // ever), opens a new one; where that cannot be, a sibling grows.
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

  // Made writable by this.
  std::uint64_t grown_bytes() const { return prefixes_.grown_bytes(); }

  static bool can_serve(Class larger, const Request& request) {
    return Plan::unit_align(larger) >= request.align_bytes;
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
    const Taken taken = take_ready(Plan::bin_in(request.shard, request.cls), end, count);
    return taken.count > 0 ? taken : take_ready_of_siblings(request, end, count);
  }
  Taken take_ready_of_siblings(const Request& request, Address* end, std::uint32_t count) {
    for (Shard i = 1; i < state_.shards_of(request.cls); ++i) {
      const Shard shard = (request.shard + i) % state_.shards();
      const Taken taken = take_ready(Plan::bin_in(shard, request.cls), end, count);
      if (taken.count > 0) {
        return taken;
      }
    }
    return {};
  }

  // What siblings have ready, before a region is opened. It goes home when it is freed, so a bin
  // that lives on it comes here for each batch, under the commit lock: after so many a region is
  // due.
  [[clang::requires_capability(role::Commit::held)]]
  Taken borrow(const Request& request, Address* end, std::uint32_t count) {
    std::uint8_t& borrowed = books_.of_growth().borrowed(Plan::bin_in(request.shard, request.cls));
    if (borrowed == borrowed_max) {
      return {};
    }
    const Taken taken = take_ready_of_siblings(request, end, count);
    if (taken.count > 0) {
      ++borrowed;
    }
    return taken;
  }

  [[clang::requires_capability(role::Commit::held)]]
  Taken grow_in_shard(const Request& request, Address* end, std::uint32_t count) {
    const bool has_siblings = state_.shards_of(request.cls) > 1;
    Taken taken = extend(Plan::bin_in(request.shard, request.cls), end, count);
    if (taken.count == 0 && has_siblings) {
      taken = borrow(request, end, count);
    }
    if (taken.count == 0) {
      taken = open_own_or_shared(request, end, count);
    }
    // Where there can be no region, before a sibling grows.
    if (taken.count == 0 && has_siblings) {
      taken = take_ready_of_siblings(request, end, count);
    }
    return taken;
  }

  [[clang::requires_capability(role::Commit::held)]]
  Taken open_own_or_shared(const Request& request, Address* end, std::uint32_t count) {
    const Bin bin = Plan::bin_in(request.shard, request.cls);
    const std::uint64_t unit_max = scarcity_.unit_bytes_max(request.cls);
    return unit_max == Plan::unit_bytes(request.cls) ? open(bin, end, count)
           : Plan::is_block(bin)                     ? share_blocks(request, end)
                                                     : share_items(request, unit_max, end, count);
  }

  // From the region of a larger class, or from a new one of the largest: the next class finds that.
  [[clang::requires_capability(role::Commit::held)]]
  Taken share_items(const Request& request, std::uint64_t unit_max, Address* end,
                    std::uint32_t count) {
    Class shared = request.cls;
    for (Class larger = shared + 1;
         larger <= Plan::item_classes && Plan::unit_bytes(larger) <= unit_max; ++larger) {
      if (can_serve(larger, request)) {
        shared = larger;
        const Taken taken = extend(Plan::bin_in(request.shard, larger), end, 1);
        if (taken.count > 0) {
          return taken;
        }
      }
    }
    return open_shared(request, shared, end, count);
  }

  // Whatever larger one is ready, or one from a region for all.
  [[clang::requires_capability(role::Commit::held)]]
  Taken share_blocks(const Request& request, Address* end) {
    const Class shared = std::max(request.cls, Scarcity<State>::shared_block);
    Taken taken = take_larger(request, end);
    if (taken.count == 0 && shared == Scarcity<State>::shared_block) {
      taken = extend(shared, end, 1);
    }
    return taken.count > 0 ? taken : open_shared(request, shared, end, 1);
  }

  // One region is for all to share; where it is full each has its own again, which holds more.
  [[clang::requires_capability(role::Commit::held)]]
  Taken open_shared(const Request& request, Class shared, Address* end, std::uint32_t count) {
    return shared == request.cls || scarcity_.has_region(shared)
               ? open(Plan::bin_in(request.shard, request.cls), end, count)
               : open(Plan::bin_in(request.shard, shared), end, 1);
  }

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
    if (prefixes_.commit_chunks(slot, c, doubled)) {
      end = doubled;
    } else if (doubled > c + 1 && prefixes_.commit_chunks(slot, c, c + 1)) {
      end = c + 1;
    }
    const Pages advised =
        end > c ? prefixes_.advise(Plan::class_of(bin), slot, 1, end, pages) : pages;
    lock.retake();
    prefixes_.note_advice(slot, 1, advised);
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
    blocks.hold_block(lead, block);  // pins the region
    lock.release();
    const bool committed = prefixes_.commit_chunks(lead, from, to);
    lock.retake();
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
    const bool ready = prefixes_.commit_first(slot, slots, Plan::class_of(bin));
    auto lock = state_.lock_bin(bin);
    Taken taken = take(bin, end, count);  // somebody may have put units back meanwhile
    if (taken.count > 0 || !ready) {
      close({.closed_slot = slot, .closed_slots = slots});
      return taken;
    }
    if (is_item) {
      Items<State>(state_, bin).open_region(slot);
      books_.of_growth().borrowed(bin) = 0;
    } else {
      Blocks<State>(state_, bin).open_region(slot, cls);
    }
    return take(bin, end, count);
  }

  // Below this a block region of a whole segment would eat too much of the space.
  static constexpr std::uint32_t few_segments = 64;

  State& state_;
  const typename State::Books& books_;
  Prefixes<State> prefixes_{state_};
  Scarcity<State> scarcity_{state_};
};

}  // namespace strata
