// Group C: runs of whole segments, for what is larger than the largest block; and of whole slots,
// for smaller sizes where no segment is free for their blocks. The run's record is that of its
// first slot, guarded by the segments lock.
#pragma once

#include "heap/blocks.hpp"
#include "heap/growth.hpp"
#include "heap/prefixes.hpp"
#include "heap/segments.hpp"

namespace strata {

template <class State>
class Runs {
  using Plan = typename State::Plan;

 public:
  explicit Runs(State& state) : state_(state), books_(state.books) {}

  // `end[-1]` is the run.
  [[clang::requires_capability(role::Commit::held)]]
  Taken take(const Request& request, Address* end) {
    const std::uint64_t units = ceil_div(request.size_bytes, Plan::chunk_shift);
    const std::uint32_t slot = take_slots(request, slots_of(units));
    if (slot == no_index) {
      return {};
    }
    const std::uint64_t offset = Plan::slot_start(slot);
    const bool committed = state_.commit(Space::heap, offset, units << Plan::chunk_shift);
    if (committed) {
      Prefixes<State>(state_).withdraw_advice(slot, slots_of(units));
    }
    const auto lock = state_.lock_segments();
    if (!committed) {
      Segments<State>(state_).put_slots(slot, slots_of(units));
      return {};
    }
    end[-1] = state_.address_of(offset);
    return {1, open(slot, units)};
  }

  Problem put(std::uint64_t offset) {
    const auto lock = state_.lock_segments();
    if (state_.class_at(offset) != Plan::run) {
      return Problem::double_free;  // it was one when the caller looked
    }
    const std::uint32_t slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const std::uint64_t units = books_.of_segments().region(slot).run_units;
    if (units == 0 || (offset & (Plan::region_bytes - 1)) != 0) {
      return Problem::interior_pointer;
    }
    state_.hooks.on(Event::run_given, slot, 0);
    close(slot, units);
    return Problem::none;
  }

  // Lengthens a live run within the slots that it has anyhow; what is added may hold anything.
  // false: it would need more of them, or the system refused. Without the commit lock, as nobody
  // else wants those slots.
  bool extend(std::uint64_t offset, std::uint64_t size_bytes) {
    const std::uint32_t first = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const std::uint64_t old = bytes(offset) >> Plan::chunk_shift;
    const std::uint64_t units = ceil_div(size_bytes, Plan::chunk_shift);
    if (old == 0 || units < old || slots_of(units) != slots_of(old) ||
        !state_.commit(Space::heap, offset + (old << Plan::chunk_shift),
                       (units - old) << Plan::chunk_shift)) {
      return false;
    }
    const auto lock = state_.lock_segments();
    cover(first, units);
    state_.count_live((units - old) << Plan::chunk_shift);
    return true;
  }

  // Bytes of the run that starts at `offset`; 0 if none does.
  std::uint64_t bytes(std::uint64_t offset) {
    const auto lock = state_.lock_segments();
    const std::uint32_t slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const region_t& region = books_.of_segments().region(slot);
    const bool at_start = (offset & (Plan::region_bytes - 1)) == 0;
    return at_start ? std::uint64_t{region.run_units} << Plan::chunk_shift : 0;
  }

  // The slots of a run: of all its segments if it is larger than one.
  static std::uint32_t slots_of(std::uint64_t units) {
    const std::uint64_t step = units > Plan::chunks_per_segment ? Plan::regions_per_segment : 1;
    const std::uint64_t slots = (units - 1) / Plan::chunks_per_region + 1;
    return static_cast<std::uint32_t>((slots + step - 1) / step * step);
  }

 private:
  static std::uint64_t ceil_div(std::uint64_t bytes, unsigned shift) {
    return ((bytes - 1) >> shift) + 1;
  }

  std::uint32_t take_slots(const Request& request, std::uint32_t slots) {
    const auto lock = state_.lock_segments();
    Segments<State> segments(state_);
    if (request.size_bytes > Plan::segment_bytes) {
      return segments.take_run(slots / Plan::regions_per_segment);
    }
    const std::uint64_t align = std::max(request.align_bytes, Plan::region_bytes);
    return segments.take_slots(slots, static_cast<std::uint32_t>(Plan::slot_of(align)));
  }

  // Returns whether every byte of the run is known to be zero.
  [[clang::requires_capability(role::Segments::held)]]
  bool open(std::uint32_t first, std::uint64_t units) {
    bool known_zero = true;
    std::uint64_t rest = units;
    for (std::uint32_t slot = first; slot < first + slots_of(units); ++slot) {
      region_t& region = books_.of_segments().region(slot);
      known_zero = known_zero && (rest == 0 || region.dirty == 0);
      rest -= std::min<std::uint64_t>(rest, Plan::chunks_per_region);
      state_.uncount_dirty(region.dirty * Plan::chunk_bytes);
      state_.publish_run(slot, Plan::run);
    }
    cover(first, units);
    state_.count_live(units << Plan::chunk_shift);
    state_.hooks.on(Event::run_taken, first, 0);
    return known_zero;
  }

  // The run's record. Dirt past its end stays on record, so that what comes after it is not taken
  // for zero; only what the run covers is its own affair.
  [[clang::requires_capability(role::Segments::held)]]
  void cover(std::uint32_t first, std::uint64_t units) {
    std::uint64_t rest = units;
    for (std::uint32_t slot = first; rest > 0; ++slot) {
      region_t& region = books_.of_segments().region(slot);
      const std::uint64_t here = std::min<std::uint64_t>(rest, Plan::chunks_per_region);
      rest -= here;
      region.dirty = region.dirty > here ? region.dirty : std::uint16_t{0};
    }
    Blocks<State>::raise_writable(books_.of_segments(), first, units);
    books_.of_segments().region(first).run_units = static_cast<std::uint32_t>(units);
  }

  [[clang::requires_capability(role::Segments::held)]]
  void close(std::uint32_t first, std::uint64_t units) {
    books_.of_segments().region(first).run_units = 0;
    state_.uncount_live(units << Plan::chunk_shift);
    std::uint64_t rest = units;
    for (std::uint32_t slot = first; slot < first + slots_of(units); ++slot) {
      region_t& region = books_.of_segments().region(slot);
      const std::uint64_t here = std::min<std::uint64_t>(rest, Plan::chunks_per_region);
      rest -= here;
      region.dirty = std::max(region.dirty, static_cast<std::uint16_t>(here));
      state_.count_dirty(region.dirty * Plan::chunk_bytes);
      state_.publish_run(slot, Plan::unused);
    }
    Segments<State>(state_).put_slots(first, slots_of(units));
  }

  State& state_;
  const typename State::Books& books_;
};

}  // namespace strata
