// Entry points into the plan and the layout of the books, for the proofs: of the plan P that the
// file which includes this has chosen.
#pragma once

#include <atomic>

#include "book/books.hpp"
#include "heap/runs.hpp"
#include "subject/proof_sync.hpp"

namespace strata {
namespace {

using Word = std::uint64_t;

// Where a map's words stand: the map is a view of two pointers.
struct View {
  Word* summary;
  Word* words;
  std::uint32_t summary_words;
};
template <class Map>
View view(const Map& map) {
  return std::bit_cast<View>(map);
}

// What the accessors of the books are asked with, of the whole space.
struct Spaces {
  std::byte *control, *books, *item_map;
};

Layout<P, ProofSync> layout_of(std::uint32_t segments) {
  return Layout<P, ProofSync>(segments, P::shards_max);
}

Records<P, ProofSync> books_of(const Spaces& at) {
  return {layout_of(256), at.control, at.books, at.item_map};
}

}  // namespace

extern "C" {

// --- Sizes and classes -----------------------------------------------------------------------
Word plan_class_of_size(Word size) { return P::Items::class_of_size<Word>(size); }
Word plan_magazine_of_size(Word size) { return P::magazine_of_size(size); }
std::uint32_t plan_bin_for(Word size) { return P::class_for(size); }
Word plan_unit_bytes(std::uint32_t bin) { return P::unit_bytes(bin); }
Word plan_item_bytes(Word cls) { return P::Items::item_bytes<Word>(cls); }
Word plan_unit_align(std::uint32_t bin) { return P::unit_align(bin); }
Word plan_aligned_size(Word size, Word align) { return P::aligned_size(size, align); }
std::uint32_t plan_items_per_chunk(std::uint32_t cls) { return P::items_per_chunk(cls); }
std::uint32_t plan_blocks_per_region(std::uint32_t cls) { return P::blocks_per_region(cls); }
std::uint32_t plan_block_shift(std::uint32_t bin) { return P::block_shift(bin); }

// --- Class bytes -----------------------------------------------------------------------------
bool plan_is_item(std::uint32_t cls) { return P::is_item(cls); }
bool plan_is_block(std::uint32_t cls) { return P::is_block(cls); }
bool plan_is_small(std::uint32_t cls) { return P::is_small(cls); }
bool plan_is_run(std::uint32_t cls) { return P::is_run(cls); }
std::uint32_t plan_bin_of(std::uint32_t cls) { return P::bin_class(cls); }
std::uint32_t plan_small_of(std::uint32_t block) { return P::small_of(block); }

// --- Offsets ---------------------------------------------------------------------------------
Word plan_item_index(Word cls, Word byte) { return P::item_index<Word>(cls, byte); }
Word plan_slot_of(Word offset) { return P::slot_of(offset); }
Word plan_segment_of(Word offset) { return P::segment_of(offset); }
Word plan_chunk_in_region(Word offset) { return P::chunk_in_region(offset); }
Word plan_byte_in_chunk(Word offset) { return P::byte_in_chunk(offset); }
std::uint32_t run_slots_of(Word units) { return Runs<ProofState<P>>::slots_of(units); }

// --- The layout of the control space, and the accessors of the books ---------------------------
Word layout_offset(std::uint32_t segments, std::uint32_t which) {
  const auto layout = layout_of(segments);
  switch (which) {
    case 0:
      return 0;
    case 1:
      return layout.bins;
    case 2:
      return layout.segment_free;
    case 3:
      return layout.segment_next;
    case 4:
      return layout.segment_used;
    case 5:
      return layout.segment_set;
    case 6:
      return layout.control_page_bytes;
    case 7:
      return layout.class_bytes;
    case 8:
      return layout.lock_lines;
    case 9:
      return layout.regions;
    case 10:
      return layout.region_sets;
    default:
      return layout.control_bytes;
  }
}
// Bytes of each of these areas: what the accessors can reach.
Word layout_bytes(std::uint32_t segments, std::uint32_t which) {
  const auto layout = layout_of(segments);
  const Word slots = Word{segments} * P::regions_per_segment;
  switch (which) {
    case 0:
      return layout.unused + sizeof(unused_t);  // the allocator's record, and that behind it
    case 1:
      return layout.bins_count() * sizeof(bin_t);
    case 2:
      return segments * sizeof(std::uint32_t);
    case 3:
      return segments * sizeof(std::uint16_t);
    case 4:
      return segments * sizeof(std::uint8_t);
    case 5:
      return (layout.segment_words + layout.segment_summary_words) * sizeof(Word);
    case 6:
      return 0;
    case 7:
      return slots;
    case 8:
      return layout.locks() * Layout<P, ProofSync>::line_bytes;
    case 9:
      return slots * sizeof(region_t);
    case 10:
      return layout.bins_count() * layout.region_set_bytes();
    default:
      return 0;
  }
}
void* books_chunk(std::byte* control, std::byte* books, std::byte* item_map, std::uint32_t slot,
                  std::uint32_t chunk) {
  return &books_of({control, books, item_map}).chunk(slot, chunk);
}
void* books_region(std::byte* control, std::byte* books, std::byte* item_map, std::uint32_t slot) {
  return &books_of({control, books, item_map}).region(slot);
}
// The words of each set of a slot's book, or its summary.
void* books_free_chunks(std::byte* control, std::byte* books, std::byte* item_map,
                        std::uint32_t slot, bool summary) {
  const View at = view(books_of({control, books, item_map}).free_chunks(slot));
  return summary ? at.summary : at.words;
}
void* books_partial_chunks(std::byte* control, std::byte* books, std::byte* item_map,
                           std::uint32_t slot, bool summary) {
  const View at = view(books_of({control, books, item_map}).partial_chunks(slot));
  return summary ? at.summary : at.words;
}
void* books_free_blocks(std::byte* control, std::byte* books, std::byte* item_map,
                        std::uint32_t slot, bool summary) {
  const View at = view(books_of({control, books, item_map}).free_blocks(slot));
  return summary ? at.summary : at.words;
}
void* books_dirty_blocks(std::byte* control, std::byte* books, std::byte* item_map,
                         std::uint32_t slot, bool summary) {
  const View at = view(books_of({control, books, item_map}).dirty_blocks(slot));
  return summary ? at.summary : at.words;
}
void* books_items(std::byte* control, std::byte* books, std::byte* item_map, std::uint32_t slot,
                  std::uint32_t chunk) {
  return view(books_of({control, books, item_map}).free_items(slot, chunk)).words;
}
void* books_items_summary(std::byte* control, std::byte* books, std::byte* item_map,
                          std::uint32_t slot, std::uint32_t chunk) {
  return view(books_of({control, books, item_map}).free_items(slot, chunk)).summary;
}
// The words of the regions' set of a bin, and its summary.
void* books_bin_set(std::byte* control, std::byte* books, std::byte* item_map, std::uint32_t bin,
                    bool summary) {
  const View at = view(books_of({control, books, item_map}).bin_regions(bin));
  return summary ? at.summary : at.words;
}
}

}  // namespace strata
