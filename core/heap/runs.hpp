// Group C: runs of whole segments, for what is larger than the largest block. The run's record is
// that of its first slot, guarded by the segments lock.
#pragma once

#include "heap/blocks.hpp"
#include "heap/growth.hpp"
#include "heap/segments.hpp"

namespace strata {

template <class State>
class Runs {
  using Plan = typename State::Plan;
  using Lock = typename State::Lock;

 public:
  explicit Runs(State& state) : state_(state), books_(state.books) {}

  // The commit lock is held. `end[-1]` is the run.
  Taken take(std::uint64_t size_bytes, Address* end) {
    const std::uint64_t segments = ceil_div(size_bytes, Plan::segment_shift);
    const std::uint64_t units = ceil_div(size_bytes, Plan::chunk_shift);
    std::uint32_t slot = no_index;
    {
      const Lock lock = state_.lock_segments();
      slot = Segments<State>(state_).take_run(segments);
    }
    if (slot == no_index) {
      return {};
    }
    const std::uint64_t offset = std::uint64_t{slot} << Plan::region_shift;
    const bool committed = state_.memory.commit(Space::heap, offset, units << Plan::chunk_shift);
    const Lock lock = state_.lock_segments();
    if (!committed) {
      Segments<State>(state_).put_slots(slot, slots_of(units));
      return {};
    }
    end[-1] = state_.address_of(offset);
    return {1, open(slot, units)};
  }

  Problem put(std::uint64_t offset) {
    const Lock lock = state_.lock_segments();
    if (state_.class_at(offset) != Plan::run) {
      return Problem::double_free;  // it was one when the caller looked
    }
    const std::uint32_t slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const std::uint64_t units = books_.region(slot).run_units;
    if (units == 0 || (offset & (Plan::region_bytes - 1)) != 0) {
      return Problem::interior_pointer;
    }
    state_.hooks.on(Event::run_given, slot, 0);
    close(slot, units);
    return Problem::none;
  }

  // Bytes of the run that starts at `offset`; 0 if none does.
  std::uint64_t bytes(std::uint64_t offset) {
    const Lock lock = state_.lock_segments();
    const region_t& region = books_.region(static_cast<std::uint32_t>(Plan::slot_of(offset)));
    const bool at_start = (offset & (Plan::region_bytes - 1)) == 0;
    return at_start ? std::uint64_t{region.run_units} << Plan::chunk_shift : 0;
  }

 private:
  static std::uint64_t ceil_div(std::uint64_t bytes, unsigned shift) {
    return ((bytes - 1) >> shift) + 1;
  }
  // All slots of all its segments.
  static std::uint32_t slots_of(std::uint64_t units) {
    return static_cast<std::uint32_t>(((units - 1) / Plan::chunks_per_segment + 1) *
                                      Plan::regions_per_segment);
  }

  // Returns whether every byte of the run is known to be zero.
  bool open(std::uint32_t first, std::uint64_t units) {
    bool known_zero = true;
    for (std::uint32_t slot = first; slot < first + slots_of(units); ++slot) {
      region_t& region = books_.region(slot);
      known_zero = known_zero && region.dirty == 0;
      state_.uncount_dirty(region.dirty * Plan::chunk_bytes);
      region.dirty = 0;
      state_.publish_class(slot, Plan::run);
    }
    Blocks<State>::raise_writable(books_, first, units);
    books_.region(first).run_units = static_cast<std::uint32_t>(units);
    state_.count_live(units << Plan::chunk_shift);
    state_.hooks.on(Event::run_taken, first, 0);
    return known_zero;
  }

  void close(std::uint32_t first, std::uint64_t units) {
    books_.region(first).run_units = 0;
    state_.uncount_live(units << Plan::chunk_shift);
    std::uint64_t rest = units;
    for (std::uint32_t slot = first; slot < first + slots_of(units); ++slot) {
      region_t& region = books_.region(slot);
      region.dirty =
          static_cast<std::uint16_t>(std::min<std::uint64_t>(rest, Plan::chunks_per_region));
      rest -= region.dirty;
      state_.count_dirty(region.dirty * Plan::chunk_bytes);
      state_.publish_class(slot, Plan::unused);
    }
    Segments<State>(state_).put_slots(first, slots_of(units));
  }

  State& state_;
  typename State::Books& books_;
};

}  // namespace strata
