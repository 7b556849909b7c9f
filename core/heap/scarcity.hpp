// How large the units may be that serve a class which has no region of its own.
//
// A slot for each class is too much for a small space. From three quarters of its slots on, items
// share a region of larger ones, the larger the fewer slots are left, and blocks, whose unused end
// costs nothing, any. What is left goes to sizes that nothing open can serve.
#pragma once

#include <algorithm>
#include <cstdint>

#include "heap/state.hpp"

namespace strata {

template <class State>
class Scarcity {
  using Plan = typename State::Plan;
  using Class = typename State::Class;

 public:
  explicit Scarcity(State& state) : state_(state), books_(state.books) {}

  // An item is at most so many times as large as the class asked for: what is free further up may
  // be retired and serve many, but not once one is in it.
  static constexpr std::uint64_t larger_max = 8;

  // Where blocks share, smaller ones come from regions of this size: 1 MiB, 32 to a slot.
  static constexpr Class shared_block =
      std::min(Plan::first_block + 4, Plan::bin_class(Plan::last_small));

  // Of a class: its own size while it has a region, or slots are many.
  std::uint64_t unit_bytes_max(Class cls) {
    const std::uint64_t own = Plan::unit_bytes(cls);
    if (has_region(cls)) {
      return own;
    }
    const auto lock = state_.lock_segments();
    const auto& control = books_.control();
    const std::uint32_t quarter = (control.end_slot - control.first_slot) / 4;
    const std::uint32_t left = books_.of_segments().unused().free_slots;
    if (left > 3 * quarter) {
      return own;
    }
    return Plan::is_block(cls)  ? Plan::segment_bytes
           : left > 2 * quarter ? 2 * own
           : left > quarter     ? 4 * own
                                : larger_max * own;
  }

  // In any shard.
  bool has_region(Class cls) {
    std::uint32_t regions = 0;
    for (plan::Shard shard = 0; shard < state_.shards_of(cls); ++shard) {
      const plan::Bin bin = Plan::bin_in(shard, cls);
      const auto lock = state_.lock_bin(bin);
      regions += books_.of_bins().bin(bin).regions;
    }
    return regions > 0;
  }

 private:
  State& state_;
  const typename State::Books& books_;
};

}  // namespace strata
