// Where the records stand in their spaces: pure arithmetic over the plan and the number of
// segments.
#pragma once

#include <cstddef>

#include "book/records.hpp"
#include "plan/plan.hpp"

namespace strata {

// Each space is one reservation. The heap space is never touched by the allocator itself.
enum class Space : std::uint8_t { control, heap, books, item_map, caches };
inline constexpr std::size_t space_count = 5;

template <class Plan, class Sync>
struct Layout {
  using Map = BinMap<Plan::word_shift>;
  using ClassByte = typename Sync::template Atomic<std::uint8_t>;
  static_assert(sizeof(ClassByte) == 1);

  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr std::uint64_t line_bytes = 64;
  static constexpr std::uint64_t item_map_bytes_per_chunk =
      Plan::words_per_chunk * sizeof(std::uint64_t);

  // A book: the sets of chunks, the item maps of the region's first chunks, the records of all its
  // chunks; so that a region of which little is used touches one page of its book, and none of the
  // space of item maps, where those of all other chunks are. Then the sets of blocks: never where
  // a record was, as records beyond the writable prefix are zero whatever the slot was used for.
  static constexpr std::uint32_t near_chunks =
      std::min<std::uint32_t>(6, Plan::chunks_per_region / 2);
  static constexpr std::uint64_t near_maps =
      round_up<std::uint64_t>(sizeof(chunk_sets_t<Plan>), sizeof(chunk_t));
  static constexpr std::uint64_t chunk_records =
      round_up(near_maps + near_chunks * item_map_bytes_per_chunk, sizeof(chunk_t));
  static_assert(chunk_records + Plan::initial_chunks * sizeof(chunk_t) <= page_bytes);
  static constexpr std::uint64_t block_sets =
      chunk_records + Plan::chunks_per_region * sizeof(chunk_t);
  static constexpr std::uint64_t book_bytes =
      std::bit_ceil(block_sets + sizeof(block_sets_t<Plan>));
  // The item maps of a region's chunks, then as many bytes of marks, if there are any.
  static constexpr std::uint64_t marks = item_map_bytes_per_chunk * Plan::chunks_per_region;
  static constexpr std::uint64_t item_map_bytes = Plan::has_marks ? 2 * marks : marks;

  // `shard_count` is a power of two, Plan::shards_max at most.
  explicit constexpr Layout(std::uint32_t segment_count, std::uint32_t shard_count = 1)
      : segments(segment_count), shards(shard_count) {
    const std::uint32_t slots = segment_count * Plan::regions_per_segment;
    set_words = Map::words_for(slots);
    set_summary_words = Map::summary_words_for(slots);
    segment_words = Map::words_for(segment_count);
    segment_summary_words = Map::summary_words_for(segment_count);

    std::uint64_t at = 0;
    const auto place = [&at](std::uint64_t bytes, std::uint64_t align) {
      const std::uint64_t here = round_up(at, align);
      at = here + bytes;
      return here;
    };
    place(sizeof(control_t<Sync>), 8);
    unused = place(sizeof(unused_t), 8);
    bins = place(bins_count() * sizeof(bin_t), 8);
    segment_free = place(segment_count * sizeof(std::uint32_t), 8);
    segment_next = place(segment_count * sizeof(std::uint16_t), 8);
    segment_used = place(segment_count * sizeof(std::uint8_t), 8);
    segment_set = place((segment_words + segment_summary_words) * sizeof(std::uint64_t), 8);
    control_page_bytes = round_up(at, page_bytes);
    class_bytes = place(slots, page_bytes);
    lock_lines = place(locks() * line_bytes, page_bytes);
    regions = place(slots * sizeof(region_t), page_bytes);
    region_sets = place(bins_count() * region_set_bytes(), page_bytes);
    control_bytes = round_up(at, page_bytes);
  }

  constexpr std::uint32_t bins_count() const { return Plan::bins_for(shards); }
  // Commit, purge, one a bin (bin 0 unused), segments.
  constexpr std::uint32_t locks() const { return bins_count() + 3; }
  constexpr std::uint64_t region_set_bytes() const {
    return (set_words + set_summary_words) * sizeof(std::uint64_t);
  }
  constexpr std::uint64_t heap_bytes() const { return segments * Plan::segment_bytes; }
  constexpr std::uint64_t books_bytes() const {
    return segments * Plan::regions_per_segment * book_bytes;
  }
  constexpr std::uint64_t item_maps_bytes() const {
    return segments * Plan::regions_per_segment * item_map_bytes;
  }
  // An upper bound on the mappings that the prefixes can split the three spaces into.
  constexpr std::uint64_t mappings_max() const {
    return std::uint64_t{2} * 3 * segments * Plan::regions_per_segment + mappings_constant;
  }
  // Control, caches, and the ends of each reservation.
  static constexpr std::uint64_t mappings_constant = 16;

  std::uint32_t segments;
  std::uint32_t shards;
  std::uint32_t set_words = 0, set_summary_words = 0;
  std::uint32_t segment_words = 0, segment_summary_words = 0;
  // Offsets into the control space, bytes.
  std::uint64_t unused = 0, bins = 0, segment_free = 0, segment_next = 0, segment_used = 0,
                segment_set = 0;
  std::uint64_t control_page_bytes = 0;
  std::uint64_t class_bytes = 0, lock_lines = 0, regions = 0, region_sets = 0;
  std::uint64_t control_bytes = 0;
};

}  // namespace strata
