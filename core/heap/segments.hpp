// Who has which slot of the heap space. Plain sequential code under the segments lock.
//
// Taking and putting back touch only the segment records and their counts, so that a slot or run
// that was taken and could not be committed is put back without a trace. What a slot holds (class,
// dirt) is written by whoever opens and closes it.
#pragma once

#include <algorithm>
#include <cassert>

#include "heap/state.hpp"

namespace strata {

template <class State>
class Segments {
  using Plan = typename State::Plan;
  static constexpr std::uint32_t per_segment = Plan::regions_per_segment;
  static constexpr std::uint32_t all_free = per_segment == 32 ? ~0U : (1U << per_segment) - 1;

 public:
  [[clang::requires_capability(role::Segments::held)]]
  explicit Segments(State& state)
      : state_(state), books_(state.books.of_segments()) {}

  // Fresh books: the slots wholly inside `present` are free, the others absent (used for ever).
  [[clang::requires_capability(role::Segments::held)]]
  void initialise(Range present) {
    auto& control = books_.control();
    const std::uint64_t end = std::min(present.end, books_.layout().heap_bytes());
    control.first_slot =
        static_cast<std::uint32_t>(Plan::slot_of(round_up(present.begin, Plan::region_bytes)));
    control.end_slot = static_cast<std::uint32_t>(Plan::slot_of(end));
    assert(control.first_slot <= control.end_slot);
    books_.unused().segment_head = no_segment;
    books_.unused().free_slots = control.end_slot - control.first_slot;
    // By segment: a look at each slot's record would make a page of every 128 of them resident.
    for (std::uint32_t segment = 0; segment < books_.segments(); ++segment) {
      const std::uint32_t first = segment * per_segment;
      const auto within = [first](std::uint32_t slot) {
        return std::clamp(slot, first, first + per_segment) - first;
      };
      const std::uint64_t free = (std::uint64_t{1} << within(control.end_slot)) -
                                 (std::uint64_t{1} << within(control.first_slot));
      books_.segment_free(segment) = static_cast<std::uint32_t>(free);
      books_.segment_used(segment) = static_cast<std::uint8_t>(
          per_segment - within(control.end_slot) + within(control.first_slot));
      if (free != 0) {
        books_.segment_list().insert(segment);
      }
    }
  }

  // Lowest unused slot, or no_index.
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_slot() {
    const std::uint16_t segment = books_.segment_list().first();
    return segment == no_segment ? no_index : take_lowest(segment, all_free);
  }

  // The same of a shard. A step for each segment in which only others' are left.
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_slot_of(plan::Shard shard) {
    if constexpr (Plan::shards_max == 1) {
      return take_slot();
    }
    const std::uint32_t mask = slots_of(shard);
    const auto list = books_.segment_list();
    for (std::uint16_t segment = list.first(); segment != no_segment;
         segment = list.after(segment)) {
      if ((books_.segment_free(segment) & mask) != 0) {
        return take_lowest(segment, mask);
      }
    }
    return no_index;
  }

  [[clang::requires_capability(role::Segments::held)]]
  bool is_unused(std::uint32_t slot) const {
    return ((books_.segment_free(slot / per_segment) >> (slot % per_segment)) & 1) != 0;
  }

  // Takes a given unused slot.
  [[clang::requires_capability(role::Segments::held)]]
  void hold_slot(std::uint32_t slot) {
    assert(is_unused(slot));
    const std::uint32_t segment = slot / per_segment;
    books_.segment_free(segment) &= ~(1U << (slot % per_segment));
    ++books_.segment_used(segment);
    count_out(slot);
    if (books_.segment_free(segment) == 0) {
      books_.segment_list().remove(segment);
    }
  }

  [[clang::requires_capability(role::Segments::held)]]
  void put_slot(std::uint32_t slot) {
    assert(!is_unused(slot));
    const std::uint32_t segment = slot / per_segment;
    if (books_.segment_free(segment) == 0) {
      books_.segment_list().insert(segment);
    }
    books_.segment_free(segment) |= 1U << (slot % per_segment);
    --books_.segment_used(segment);
    ++books_.unused().free_slots;
    books_.unused().dirty_slots += books_.region(slot).dirty != 0 ? 1 : 0;
  }

  // A wholly unused segment for blocks: group B lies between A, which comes from below, and C,
  // which comes from above. Its first slot, or no_index.
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_segment() {
    const std::uint32_t count = books_.segments();
    const std::uint32_t start = count / 4;
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t segment = (start + i) % count;
      if (books_.segment_used(segment) == 0) {
        hold_segment(segment);
        return segment * per_segment;
      }
    }
    return no_index;
  }

  // The highest `count` neighbouring wholly unused segments: the first one's first slot.
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_run(std::uint64_t count) {
    std::uint64_t found = 0;
    for (std::uint32_t segment = books_.segments(); segment-- > 0;) {
      found = books_.segment_used(segment) == 0 ? found + 1 : 0;
      if (found == count) {
        for (std::uint32_t i = 0; i < count; ++i) {
          hold_segment(segment + i);
        }
        return segment * per_segment;
      }
    }
    return no_index;
  }

  // The highest `count` neighbouring unused slots that start at a multiple of `align` slots.
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_slots(std::uint32_t count, std::uint32_t align) {
    const auto& control = books_.control();
    std::uint32_t found = 0;
    for (std::uint32_t slot = control.end_slot; slot-- > control.first_slot;) {
      found = is_unused(slot) ? found + 1 : 0;
      if (found >= count && slot % align == 0) {
        for (std::uint32_t i = 0; i < count; ++i) {
          hold_slot(slot + i);
        }
        return slot;
      }
    }
    return no_index;
  }

  // Puts back `count` slots from a place that need not be the start of a segment.
  [[clang::requires_capability(role::Segments::held)]]
  void put_slots(std::uint32_t slot, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      put_slot(slot + i);
    }
  }

 private:
  [[clang::requires_capability(role::Segments::held)]]
  std::uint32_t take_lowest(std::uint32_t segment, std::uint32_t mask) {
    const std::uint32_t slot =
        segment * per_segment + lowest_bit<std::uint32_t>(books_.segment_free(segment) & mask);
    hold_slot(slot);
    return slot;
  }

  // The slots of a segment that are a shard's.
  std::uint32_t slots_of(plan::Shard shard) const {
    std::uint32_t mask = 0;
    for (std::uint32_t i = 0; i < per_segment; ++i) {
      mask |= std::uint32_t{state_.shard_of_slot(i) == shard} << i;
    }
    return mask;
  }

  void hold_segment(std::uint32_t segment) {
    assert(books_.segment_free(segment) == all_free);
    books_.segment_list().remove(segment);
    books_.segment_free(segment) = 0;
    books_.segment_used(segment) = per_segment;
    for (std::uint32_t i = 0; i < per_segment; ++i) {
      count_out(segment * per_segment + i);
    }
  }

  void count_out(std::uint32_t slot) {
    --books_.unused().free_slots;
    books_.unused().dirty_slots -= books_.region(slot).dirty != 0 ? 1 : 0;
  }

  const State& state_;
  const typename State::Books::OfSegments& books_;
};

}  // namespace strata
