// Typed access to the book-keeping. No logic, no locks: who may touch what is said in heap/.
#pragma once

#include <cassert>
#include <cstring>

#include "binmap/ordered_list.hpp"
#include "book/layout.hpp"

namespace strata {

template <class Plan, class Sync>
class Books {
 public:
  using Layout = strata::Layout<Plan, Sync>;
  using Map = BinMap<Plan::word_shift>;
  using Control = control_t<Sync>;
  using ClassByte = typename Layout::ClassByte;
  using Class = plan::Class;
  using ChunkSets = chunk_sets_t<Plan>;
  using BlockSets = block_sets_t<Plan>;

  Books() = default;
  Books(std::uint32_t segments, std::byte* control, std::byte* books, std::byte* item_map)
      : layout_(segments), control_(control), books_(books), item_map_(item_map) {}

  const Layout& layout() const { return layout_; }
  std::uint32_t segments() const { return layout_.segments; }
  std::uint32_t slots() const { return layout_.segments * Plan::regions_per_segment; }

  // --- The control page -----------------------------------------------------------------------
  Control& control() const { return *at<Control>(0); }
  bin_t& bin(Class bin) const { return at<bin_t>(layout_.bins)[bin]; }
  std::uint32_t& segment_free(std::uint32_t segment) const {
    return at<std::uint32_t>(layout_.segment_free)[segment];
  }
  std::uint8_t& segment_used(std::uint32_t segment) const {
    return at<std::uint8_t>(layout_.segment_used)[segment];
  }
  // Segments with free regions, lowest first.
  auto segment_list() const {
    auto* words = at<std::uint64_t>(layout_.segment_set);
    auto* next = at<std::uint16_t>(layout_.segment_next);
    return OrderedList<std::uint16_t, Map, Next<std::uint16_t>>(
        control().segment_head,
        Map(words + layout_.segment_words, words, layout_.segment_summary_words), {next});
  }

  // --- Slots ----------------------------------------------------------------------------------
  region_t& region(std::uint32_t slot) const { return at<region_t>(layout_.regions)[slot]; }
  ClassByte& class_byte(std::uint32_t slot) const { return class_bytes()[slot]; }
  ClassByte* class_bytes() const { return at<ClassByte>(layout_.class_bytes); }
  Map bin_regions(Class bin) const {
    auto* words = at<std::uint64_t>(layout_.region_sets + bin * layout_.region_set_bytes());
    return Map(words + layout_.set_words, words, layout_.set_summary_words);
  }
  // A bin's regions with room, lowest first.
  auto bin_list(Class cls) const {
    return OrderedList<std::uint32_t, Map, RegionNext>(bin(cls).head, bin_regions(cls),
                                                       {at<region_t>(layout_.regions)});
  }

  // --- A region's book ------------------------------------------------------------------------
  chunk_t& chunk(std::uint32_t slot, std::uint32_t chunk) const {
    return reinterpret_cast<chunk_t*>(book(slot))[chunk];
  }
  Map free_chunks(std::uint32_t slot) const {
    ChunkSets& s = sets<ChunkSets>(slot);
    return Map(s.free_summary, s.free_words, ChunkSets::summary_words);
  }
  Map partial_chunks(std::uint32_t slot) const {
    ChunkSets& s = sets<ChunkSets>(slot);
    return Map(s.partial_summary, s.partial_words, ChunkSets::summary_words);
  }
  Map free_blocks(std::uint32_t lead) const {
    BlockSets& s = sets<BlockSets>(lead);
    return Map(s.free_summary, s.free_words, BlockSets::summary_words);
  }
  Map dirty_blocks(std::uint32_t lead) const {
    BlockSets& s = sets<BlockSets>(lead);
    return Map(s.dirty_summary, s.dirty_words, BlockSets::summary_words);
  }
  Map free_items(std::uint32_t slot, std::uint32_t chunk_index) const {
    std::byte* words =
        item_map_ + slot * Layout::item_map_bytes + chunk_index * Layout::item_map_bytes_per_chunk;
    return Map(&chunk(slot, chunk_index).summary, reinterpret_cast<std::uint64_t*>(words));
  }

  // The line that a lock stands on: see State::lock_*.
  std::byte* lock_line(std::uint32_t index) const {
    return control_ + layout_.lock_lines + index * Layout::line_bytes;
  }

 private:
  template <class Link>
  struct Next {
    Link* links;
    Link& operator()(std::uint32_t index) const { return links[index]; }
  };
  struct RegionNext {
    region_t* regions;
    std::uint32_t& operator()(std::uint32_t slot) const { return regions[slot].next; }
  };

  template <class T>
  T* at(std::uint64_t offset) const {
    return reinterpret_cast<T*>(control_ + offset);
  }
  std::byte* book(std::uint32_t slot) const { return books_ + slot * Layout::book_bytes; }
  template <class Sets>
  Sets& sets(std::uint32_t slot) const {
    return *reinterpret_cast<Sets*>(book(slot) + Layout::sets_bytes);
  }

  Layout layout_{0};
  std::byte* control_ = nullptr;
  std::byte* books_ = nullptr;
  std::byte* item_map_ = nullptr;
};

// The given numbers: 32 B records, 8192 regions, 32 KiB of book-keeping a region, 512 B of item map
// a chunk, one control page.
struct LayoutChecks {
  struct Sync {
    template <class T>
    using Atomic = T;
  };
  using Pow2 = Layout<plan::Pow2, Sync>;
  using Quarter = Layout<plan::Quarter, Sync>;
  static_assert(Pow2::book_bytes == 32768 && Quarter::book_bytes == 32768);
  static_assert(Pow2::chunk_records_bytes == 16384);
  static_assert(Pow2::item_map_bytes_per_chunk == 512);
  static_assert(Pow2(256).control_page_bytes == 4096);
  static_assert(Pow2(256).books_bytes() == 256ULL << 20);
  static_assert(Pow2(256).item_maps_bytes() == 2ULL << 30);
  static_assert(Pow2(256).mappings_max() - Pow2::mappings_constant == 49152);
  static_assert(Pow2(256).segments * plan::Pow2::regions_per_segment == 8192);
};

}  // namespace strata
