// A thread's magazines of blocks: the few that it freed last, of the smaller classes.
//
// The hit paths know nothing of them: a block's class is full and empty there at once, and the miss
// looks here before it goes to the bin. So a block can be checked against the books when it comes,
// and a bad free of one is still reported at once.
#pragma once

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>

#include "hooks/report.hpp"
#include "plan/plan.hpp"

namespace strata {

template <class Plan>
class BlockMagazines {
 public:
  // Held of one class: this much, or one block.
  static constexpr std::uint64_t bytes_max = std::uint64_t{256} << 10;
  // Larger blocks are not held: what one thread keeps, no other can use.
  static constexpr std::uint64_t block_bytes_max = std::uint64_t{512} << 10;

  static constexpr bool has(plan::Class cls) {
    return Plan::is_block(cls) && Plan::unit_bytes(cls) <= block_bytes_max;
  }
  static constexpr std::uint32_t capacity(plan::Class cls) {
    assert(has(cls));
    return static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(bytes_max / Plan::unit_bytes(cls), 1, 4));
  }
  static constexpr std::uint32_t pops_per_look = 32;
  // What all of them can hold, bytes.
  static constexpr std::uint64_t held_bytes_max() {
    std::uint64_t bytes = 0;
    for (plan::Class cls = Plan::first_block; has(cls); ++cls) {
      bytes += capacity(cls) * Plan::unit_bytes(cls);
    }
    return bytes;
  }

  // The block freed last, or 0.
  Address pop(plan::Class cls) {
    std::uint8_t& count = counts_[cls - Plan::first_block];
    return count > 0 ? begin(cls)[--count] : 0;
  }
  // Precondition: it is not full.
  void push(plan::Class cls, Address block) {
    assert(!is_full(cls) && !contains(cls, block));
    begin(cls)[counts_[cls - Plan::first_block]++] = block;
  }

  // Of every so many pops one looks whether a purge is due: the clock costs as much as the pop.
  bool is_time_to_purge() { return ++pops_ % pops_per_look == 0; }

  bool is_full(plan::Class cls) const { return count(cls) == capacity(cls); }
  bool contains(plan::Class cls, Address block) const {
    return std::find(begin(cls), begin(cls) + count(cls), block) != begin(cls) + count(cls);
  }

  // What is held of a class, oldest first.
  std::uint32_t count(plan::Class cls) const { return counts_[cls - Plan::first_block]; }
  Address* begin(plan::Class cls) { return blocks_.data() + starts[cls - Plan::first_block]; }
  const Address* begin(plan::Class cls) const {
    return blocks_.data() + starts[cls - Plan::first_block];
  }
  void clear() { counts_ = {}; }

 private:
  static constexpr std::uint32_t classes = [] {
    std::uint32_t n = 0;
    while (has(Plan::first_block + n)) {
      ++n;
    }
    return n;
  }();
  static constexpr auto starts = [] {
    std::array<std::uint8_t, classes + 1> table{};
    for (std::uint32_t i = 0; i < classes; ++i) {
      table[i + 1] = static_cast<std::uint8_t>(table[i] + capacity(Plan::first_block + i));
    }
    return table;
  }();

  std::array<Address, starts[classes]> blocks_;
  std::array<std::uint8_t, classes> counts_;
  std::uint8_t pops_;
  static_assert(256 % pops_per_look == 0);
};

}  // namespace strata
