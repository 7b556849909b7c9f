// What a search asks for.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "plan/plan.hpp"
#include "props/support/operation.hpp"

namespace strata::check {

// Which part of a plan is searched.
struct SearchSpace {
  std::uint32_t first_slot = 0;  // present slots
  std::uint32_t end_slot = 0;
  std::uint64_t bytes_min = 1;          // the smallest request
  std::uint64_t states_max = 1U << 28;  // more are not expanded
};

// An operation as it is kept by the million. `operand` is a size; of a deallocate, where.
struct Move {
  Kind kind = Kind::validate;
  std::uint8_t align_shift = 0;
  std::uint32_t operand = 0;
};

// Adds the request at each alignment at which something that could serve the size may not.
template <class Plan>
void add_aligned(std::vector<Move>& moves, std::uint64_t size) {
  const plan::Class bin = Plan::class_for(size);
  for (std::uint64_t align = 2 * Plan::item_bytes_min;
       align <= Plan::align_max && size % align == 0; align *= 2) {
    bool matters = align > Plan::region_bytes && bin <= Plan::last_block;  // runs of slots
    for (plan::Class larger = bin + 1; larger <= Plan::last_block; ++larger) {
      matters = matters || Plan::unit_align(larger) < align;
    }
    if (matters) {
      moves.push_back({Kind::allocate_aligned, static_cast<std::uint8_t>(std::countr_zero(align)),
                       static_cast<std::uint32_t>(size)});
    }
  }
}

// Every request that the plan tells apart: the sizes of items and all multiples of a chunk, at
// each alignment that matters.
template <class Plan>
std::vector<Move> requests(std::uint64_t heap_bytes, std::uint64_t bytes_min) {
  std::vector<Move> moves;
  const auto add = [&](std::uint64_t size) {
    if (size >= bytes_min) {
      moves.push_back({Kind::allocate_known, 0, static_cast<std::uint32_t>(size)});
      add_aligned<Plan>(moves, size);
    }
  };
  for (plan::Class bin = 1; bin <= Plan::item_classes; ++bin) {
    add(Plan::unit_bytes(bin));
  }
  for (std::uint64_t size = Plan::chunk_bytes; size <= heap_bytes; size += Plan::chunk_bytes) {
    add(size);
  }
  return moves;
}

}  // namespace strata::check
