// The shape of the address plan: how segments, regions, chunks and pages nest.
#pragma once

#include <cstdint>

#include "plan/bits.hpp"

namespace strata::plan {

// Shifts are log2 of bytes. `WordShift` is log2 of the bits used of one bin-map word: 6 in anything
// that ships; tiny plans use 1 or 2, so that even their few units spread over several words.
template <unsigned SegmentShift, unsigned RegionShift, unsigned ChunkShift, unsigned PageShift,
          unsigned ItemShift, unsigned WordShift>
struct Geometry {
  static constexpr unsigned segment_shift = SegmentShift;
  static constexpr unsigned region_shift = RegionShift;
  static constexpr unsigned chunk_shift = ChunkShift;
  static constexpr unsigned page_shift = PageShift;
  static constexpr unsigned item_shift = ItemShift;  // the smallest item
  static constexpr unsigned word_shift = WordShift;

  static constexpr std::uint64_t segment_bytes = std::uint64_t{1} << SegmentShift;
  static constexpr std::uint64_t region_bytes = std::uint64_t{1} << RegionShift;
  static constexpr std::uint64_t chunk_bytes = std::uint64_t{1} << ChunkShift;
  static constexpr std::uint64_t page_bytes = std::uint64_t{1} << PageShift;
  static constexpr std::uint64_t item_bytes_min = std::uint64_t{1} << ItemShift;
  static constexpr std::uint64_t item_bytes_max = chunk_bytes / 2;

  static constexpr std::uint32_t regions_per_segment = 1U << (SegmentShift - RegionShift);
  static constexpr std::uint32_t chunks_per_region = 1U << (RegionShift - ChunkShift);
  static constexpr std::uint32_t chunks_per_segment = 1U << (SegmentShift - ChunkShift);
  static constexpr std::uint32_t pages_per_chunk = 1U << (ChunkShift - PageShift);
  static constexpr std::uint32_t items_per_chunk_max = 1U << (ChunkShift - ItemShift);

  // A region's writable prefix when it is opened: 1 MiB of 32 MiB, then doubled as needed, by 4 MiB
  // at most: the whole prefix is charged to RLIMIT_DATA, which stacks and others need too.
  static constexpr std::uint32_t initial_chunks =
      chunks_per_region >= 32 ? chunks_per_region / 32 : 1;
  static constexpr std::uint32_t growth_chunks_max =
      chunks_per_region >= 8 ? chunks_per_region / 8 : 1;

  // From this prefix on (24 MiB) huge pages suit a region. Below it, what the last huge page leaves
  // untouched would be a tenth of a small program's memory, and small pages cost such a program no
  // time that could be measured.
  static constexpr std::uint32_t dense_chunks = chunks_per_region - chunks_per_region / 4;

  // Chunks in a huge page of 2 MiB (of tiny plans, which have none, as many).
  static constexpr std::uint32_t huge_page_chunks = 32;

  // What items reach first is made ready to the end of so many pages (16 KiB): one call costs half
  // of what the faults would. Not in a region's first chunks, which may be all that is used.
  static constexpr std::uint32_t populated_pages = pages_per_chunk >= 16 ? 4 : 1;
  static constexpr std::uint32_t sparse_chunks = 1;
  // From here on (1 MiB) a region is one that fills up, and each chunk is made ready as a whole.
  static constexpr std::uint32_t filling_chunks =
      pages_per_chunk >= 16 ? initial_chunks : chunks_per_region;

  static constexpr std::uint32_t word_bits = 1U << WordShift;
  static constexpr std::uint32_t words_per_chunk =
      (items_per_chunk_max + word_bits - 1) >> WordShift;

  static_assert(ItemShift < ChunkShift && PageShift >= ItemShift && PageShift <= ChunkShift);
  static_assert(ChunkShift < RegionShift && RegionShift < SegmentShift);
  static_assert(WordShift >= 1 && WordShift <= 6);
  static_assert(regions_per_segment <= 32, "a segment's free regions are one u32");
  static_assert(pages_per_chunk <= 16, "a chunk's dirty pages are one u16");
  static_assert(chunks_per_segment <= 0xFFFF, "unit counts of a region are u16");
  static_assert(words_per_chunk <= word_bits, "a chunk has one summary word");

  // Where an offset into the heap space lies.
  template <class Word>
  static constexpr Word slot_of(const Word& offset) {
    return offset >> RegionShift;
  }
  template <class Word>
  static constexpr Word segment_of(const Word& offset) {
    return offset >> SegmentShift;
  }
  static constexpr std::uint64_t slot_start(std::uint64_t slot) { return slot << RegionShift; }
  static constexpr std::uint64_t chunk_start(std::uint64_t slot, std::uint64_t chunk) {
    return slot_start(slot) + (chunk << ChunkShift);
  }
  template <class Word>
  static constexpr Word chunk_in_region(const Word& offset) {
    return (offset >> ChunkShift) & Word{chunks_per_region - 1};
  }
  template <class Word>
  static constexpr Word byte_in_chunk(const Word& offset) {
    return offset & Word{chunk_bytes - 1};
  }
};

// The shape that ships: 1 GiB segments, 32 MiB regions, 64 KiB chunks, 4 KiB pages, items from 16
// B.
using Standard = Geometry<30, 25, 16, 12, 4, 6>;

}  // namespace strata::plan
