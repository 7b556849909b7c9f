// What the books of a heap say of its units, read bit by bit and apart from validate().
#pragma once

#include "props/exhaustive/units.hpp"

namespace strata::check {

// Adds the items of a region.
template <class Heap, class Plan = typename Heap::Plan>
void used_items(const Heap& heap, Units<Plan>& units, std::uint32_t slot, plan::Class cls,
                std::uint64_t start) {
  const auto& books = heap.books.of_everything();
  for (std::uint32_t chunk = 0; chunk < books.region(slot).writable; ++chunk) {
    const bool used = !books.free_chunks(slot).test(chunk);
    for (std::uint32_t item = 0; used && item < Plan::items_per_chunk(cls); ++item) {
      if (!books.free_items(slot, chunk).test(item)) {
        units.add(start + chunk * Plan::chunk_bytes + item * Plan::unit_bytes(cls),
                  Plan::unit_bytes(cls));
      }
    }
  }
}

// All of them.
template <class Heap, class Plan = typename Heap::Plan>
Units<Plan> used_units(const Heap& heap) {
  Units<Plan> units;
  const auto& books = heap.books.of_everything();
  for (std::uint32_t slot = 0; slot < books.slots(); ++slot) {
    const plan::Class cls = books.region(slot).cls;
    const std::uint64_t start = std::uint64_t{slot} * Plan::region_bytes;
    if (Plan::is_item(cls)) {
      used_items(heap, units, slot, cls, start);
    } else if (Plan::is_small(cls) ||
               (Plan::is_block(cls) && slot % Plan::regions_per_segment == 0)) {
      const std::uint64_t size = Plan::unit_bytes(Plan::bin_class(cls));
      for (std::uint32_t block = 0; block < Plan::blocks_per_region(cls); ++block) {
        if (!books.free_blocks(slot).test(block)) {
          units.add(start + block * size, size);
        }
      }
    } else if (Plan::is_run(cls) && books.region(slot).run_units > 0) {
      units.add(start, books.region(slot).run_units * Plan::chunk_bytes);
    }
  }
  return units;
}

// Pages whose contents belong to something that lives.
template <class Heap, class Plan = typename Heap::Plan>
std::uint64_t pages_touched(const Heap&, const Units<Plan>& live) {
  std::uint64_t mask = 0;
  live.each([&](std::uint64_t offset, std::uint64_t bytes) {
    mask |= Heap::State::Memory::mask_touched(offset, bytes);
  });
  return mask;
}

// Pages that may hold something after a purge: those that something live touches, with the rest
// of a run's last slots, whose dirt waits for it, and what is behind the last item of a chunk.
template <class Heap, class Plan = typename Heap::Plan>
std::uint64_t pages_kept(const Heap& heap, const Units<Plan>& live) {
  std::uint64_t mask = 0;
  live.each([&](std::uint64_t offset, std::uint64_t bytes) {
    const plan::Class cls = heap.class_at(offset);
    std::uint64_t end = offset + bytes;
    if (Plan::is_run(cls)) {
      const bool segments = bytes > Plan::segment_bytes;
      end = round_up(end, segments ? Plan::segment_bytes : Plan::region_bytes);
    } else if (Plan::is_item(cls) && end % Plan::chunk_bytes + bytes > Plan::chunk_bytes) {
      end = round_up(end, Plan::chunk_bytes);
    }
    mask |= Heap::State::Memory::mask_touched(offset, end - offset);
  });
  return mask;
}

}  // namespace strata::check
