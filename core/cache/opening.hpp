// The start: how much address space there is to be, and in how many shards of bins.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>

#include "cache/registry.hpp"

namespace strata {

template <class Heap>
class Opening {
  using Plan = typename Heap::Plan;
  using Layout = typename Heap::Layout;
  using Registry = strata::Registry<Heap>;

 public:
  // Address space that is worth starting with: two regions.
  static constexpr std::uint64_t heap_bytes_min = 2 * Plan::region_bytes;
  // From so many processors on there are shards.
  static constexpr std::uint32_t sharded_processors_min = 8;

  Opening(Heap& heap, Registry& registry) : heap_(heap), registry_(registry) {}

  // Reserves `segments` segments (1 to 32,768), or what the system grants: half of that, and so on
  // down to two regions. false: nothing could be reserved.
  bool reserve(std::uint32_t segments) {
    assert(segments >= 1 && segments <= Plan::segments_max);
    std::uint64_t heap_bytes = fitting(segments * Plan::segment_bytes);
    for (; heap_bytes >= heap_bytes_min; heap_bytes = heap_bytes / 2 & ~(Plan::region_bytes - 1)) {
      if (heap_.open(layout_for(heap_bytes), heap_bytes, Registry::bytes_for(heap_bytes))) {
        if (registry_.open(heap_bytes)) {
          return true;
        }
        heap_.close();
      }
    }
    return false;
  }

 private:
  // The largest part of `heap_bytes` with which all spaces stay below the system's limit.
  std::uint64_t fitting(std::uint64_t heap_bytes) const {
    if constexpr (requires { heap_.memory.address_space_max(); }) {
      const std::uint64_t most = heap_.memory.address_space_max();
      while (heap_bytes >= heap_bytes_min && spaces_bytes(heap_bytes) > most) {
        heap_bytes = heap_bytes / 2 > most ? heap_bytes / 2 : heap_bytes - Plan::region_bytes;
      }
    }
    return heap_bytes;
  }

  static std::uint64_t spaces_bytes(std::uint64_t heap_bytes) {
    const Layout layout = layout_for(heap_bytes);
    return heap_bytes + layout.control_bytes + layout.books_bytes() + layout.item_maps_bytes() +
           Registry::bytes_for(heap_bytes);
  }

  static Layout layout_for(std::uint64_t heap_bytes) {
    const auto segments = static_cast<std::uint32_t>((heap_bytes - 1) / Plan::segment_bytes + 1);
    return Layout(segments, shards_for(segments));
  }

  // Each shard has regions and partly used chunks of its own: with two processors that costs more
  // memory than it saves time (figures: bench/README.md).
  static std::uint32_t shards_for(std::uint32_t segments) {
    std::uint32_t processors = Plan::shards_max;
    if constexpr (requires { Heap::Memory::processors(); }) {
      processors = Heap::Memory::processors();
      if (processors < sharded_processors_min) {
        return 1;
      }
    }
    return segments < Plan::sharded_segments_min
               ? 1
               : std::min(std::bit_ceil(processors), Plan::shards_max);
  }

  Heap& heap_;
  Registry& registry_;
};

}  // namespace strata
