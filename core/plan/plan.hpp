// The address plan: a geometry, its size classes and the meaning of a region's class byte.
//
//   byte                      a 32 MiB slot with it is
//   0                         unused, or absent from the reservation
//   1 .. item_classes         a region of group A: chunks of items of that class
//   first_block .. last_block part of a block region of a whole segment (group B)
//   run                       part of a run of whole segments (group C)
//   first_small .. last_small a block region of that one slot (small spaces)
//
// A class is the byte. A *bin* is what has a lock: one for each class (a small block class shares
// that of its full-size twin), and where there are shards one for each class of items and shard.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "plan/classes.hpp"
#include "plan/geometry.hpp"

namespace strata::plan {

using Class = std::uint32_t;
using Bin = std::uint32_t;
using Shard = std::uint32_t;

template <class G, template <class> class Classes>
struct Plan : G, Classes<G> {
  using Geometry = G;
  using Items = Classes<G>;
  using G::chunk_bytes, G::chunk_shift, G::region_bytes, G::region_shift, G::segment_bytes,
      G::segment_shift, G::chunks_per_region, G::chunks_per_segment;
  using Items::item_classes;

  static constexpr std::uint32_t block_classes = segment_shift - chunk_shift + 1;
  static constexpr Class unused = 0;
  static constexpr Class first_block = item_classes + 1;
  static constexpr Class last_block = item_classes + block_classes;
  static constexpr Class run = last_block + 1;
  static constexpr Class first_small = run + 1;
  static constexpr std::uint32_t small_classes = region_shift - chunk_shift + 1;
  static constexpr Class last_small = first_small + small_classes - 1;
  // The bins of the first shard, by class: 1 .. last_block; bin 0 is never used.
  static constexpr std::uint32_t bins = last_block + 1;
  // One more than any class that class_of_size can name (size 0 wraps to the largest).
  static constexpr Class class_limit =
      static_cast<Class>(Items::template class_of_size<std::uint64_t>(0)) + 1;
  static_assert(last_small < class_limit, "every class byte has an entry among the magazines");
  static_assert(class_limit <= 256, "a class is one byte");

  // Shards of the bins of items, at most: see Sharded. Two neighbouring slots are of one, since
  // their records share a cache line.
  static constexpr std::uint32_t shards_max = 1;
  static constexpr std::uint32_t slots_per_turn = 2;
  // A smaller space has one: its slots are wanted.
  static constexpr std::uint32_t sharded_segments_min = G::regions_per_segment >= 32 ? 64 : 1;

  // Whether the books have room for a mark of each item, which hooks keep: see Marked.
  static constexpr bool has_marks = false;

  static constexpr std::uint32_t segments_max = 32768;
  static constexpr std::uint64_t align_max = segment_bytes;

  static constexpr bool is_item(Class cls) { return cls - 1 < item_classes; }
  static constexpr bool is_block(Class cls) { return cls - first_block < block_classes; }
  static constexpr bool is_small(Class cls) { return cls - first_small < small_classes; }
  static constexpr bool is_run(Class cls) { return cls == run; }

  // The class whose bin serves a class: itself, but for small block regions.
  static constexpr Class bin_class(Class cls) {
    return is_small(cls) ? cls - first_small + first_block : cls;
  }
  static constexpr Class small_of(Class block) { return block - first_block + first_small; }

  // Bins are numbered by class, then the items of the second shard and of those after it.
  static constexpr std::uint32_t bins_for(std::uint32_t shards) {
    return bins + (shards - 1) * item_classes;
  }
  static constexpr Bin bin_in(Shard shard, Class bin_class) {
    return shard == 0 || !is_item(bin_class) ? bin_class : bins_for(shard) + bin_class - 1;
  }
  static constexpr Class class_of(Bin bin) {
    return bin < bins ? bin : (bin - bins) % item_classes + 1;
  }
  static constexpr Shard shard_of(Bin bin) {
    return bin < bins ? 0 : (bin - bins) / item_classes + 1;
  }

  // log2 of a block's bytes.
  static constexpr unsigned block_shift(Class cls) { return chunk_shift + (cls - first_block); }

  // Bytes of one unit (item or block).
  static constexpr std::uint64_t unit_bytes(Class cls) {
    return is_item(cls) ? unit_table[cls] : std::uint64_t{1} << block_shift(cls);
  }
  // Every unit of a class starts at a multiple of this: the largest power of two that divides its
  // size.
  static constexpr std::uint64_t unit_align(Class cls) {
    const std::uint64_t bytes = unit_bytes(cls);
    return bytes & (~bytes + 1);
  }

  // Items that a chunk of this class holds. Quarter's classes leave a remainder smaller than one.
  static constexpr std::uint32_t items_per_chunk(Class cls) { return items_table[cls]; }
  // Whether a unit of a class can start at an offset.
  static constexpr bool is_unit_start(Class cls, std::uint64_t offset) {
    if (!is_item(cls)) {
      return (offset & (unit_bytes(cls) - 1)) == 0;
    }
    const std::uint64_t byte = G::byte_in_chunk(offset);
    const auto item = Items::template item_index<std::uint64_t>(cls, byte);
    return item < items_per_chunk(cls) && item * unit_bytes(cls) == byte;
  }
  // Blocks in a region: of a whole segment, or of one slot.
  static constexpr std::uint32_t blocks_per_region(Class cls) {
    const unsigned shift = is_small(cls) ? region_shift : segment_shift;
    return 1U << (shift - block_shift(bin_class(cls)));
  }

  // The class that serves `size_bytes`, or `run` for anything above the largest block.
  static constexpr Class class_for(std::uint64_t size_bytes) {
    const std::uint64_t size = std::max<std::uint64_t>(size_bytes, 1);
    return static_cast<Class>(
        std::min<std::uint64_t>(Items::template class_of_size<std::uint64_t>(size), run));
  }
  // An aligned request is a request for this size: the class of a multiple of a power of two has a
  // size that is one as well, in both class policies (props prove it). 0 when it cannot be served.
  static constexpr std::uint64_t aligned_size(std::uint64_t size_bytes, std::uint64_t align_bytes) {
    if (align_bytes > align_max || size_bytes > (std::uint64_t{1} << 62)) {
      return 0;
    }
    return round_up<std::uint64_t>(std::max<std::uint64_t>(size_bytes, 1), align_bytes);
  }

 private:
  static constexpr auto unit_table = [] {
    std::array<std::uint32_t, item_classes + 1> table{};
    for (std::uint64_t cls = 1; cls <= item_classes; ++cls) {
      table[cls] = static_cast<std::uint32_t>(Items::template item_bytes<std::uint64_t>(cls));
    }
    return table;
  }();
  // A division would be most of what a visit to a chunk costs.
  static constexpr auto items_table = [] {
    std::array<std::uint16_t, item_classes + 1> table{};
    for (Class cls = 1; cls <= item_classes; ++cls) {
      table[cls] = static_cast<std::uint16_t>(chunk_bytes / unit_table[cls]);
    }
    return table;
  }();
  static_assert(G::items_per_chunk_max <= 0xffff);
  static_assert(unit_table[item_classes] == G::item_bytes_max);
  static_assert(Items::template class_of_size<std::uint64_t>(G::item_bytes_max) == item_classes);
  static_assert(Items::template class_of_size<std::uint64_t>(G::item_bytes_max + 1) == first_block);
  static_assert(Items::template class_of_size<std::uint64_t>(segment_bytes) == last_block);
  static_assert(Items::template class_of_size<std::uint64_t>(segment_bytes + 1) == run);
};

// 12 item classes, all powers of two, and 15 block classes.
using Pow2 = Plan<Standard, PowersOfTwo>;
// The same with four classes a doubling up to 8 KiB: rounding costs about 8 % instead of 33 %.
using Quarter = Plan<Standard, FourPerDoubling>;

// A plan as it is, with up to `Most` shards, a power of two. Each has bins of items of its own,
// with regions in slots of its own, so that threads of several shards seldom meet.
template <class P, std::uint32_t Most>
struct Sharded : P {
  static constexpr std::uint32_t shards_max = Most;
  static_assert(std::has_single_bit(Most) && Most * P::slots_per_turn <= P::regions_per_segment);
};

// What malloc ships with. More shards would leave a segment too few slots for each.
using Malloc = Sharded<Quarter, 8>;

// A plan as it is, and marks.
template <class P>
struct Marked : P {
  static constexpr bool has_marks = true;
};

static_assert(Pow2::item_classes == 12 && Pow2::block_classes == 15);
static_assert(Quarter::item_classes == 34 && Quarter::block_classes == 15);
static_assert(Pow2::regions_per_segment == 32 && Pow2::chunks_per_region == 512);
static_assert(Pow2::items_per_chunk(1) == 4096 && Pow2::items_per_chunk(12) == 2);
static_assert(Pow2::blocks_per_region(Pow2::first_block) == 16384);
static_assert(Pow2::blocks_per_region(Pow2::last_block) == 1);

}  // namespace strata::plan
