// Typed access to the book-keeping: no logic. Records are all of it; Books shows of them what the
// caller's locks guard.
#pragma once

#include <cassert>
#include <cstring>

#include "binmap/ordered_list.hpp"
#include "book/layout.hpp"
#include "sync/roles.hpp"

namespace strata {

template <class Plan, class Sync>
class Records {
 public:
  using Layout = strata::Layout<Plan, Sync>;
  using Map = BinMap<Plan::word_shift>;
  using Control = control_t<Sync>;
  using ClassByte = typename Layout::ClassByte;
  using MarkWord = typename Sync::template Atomic<std::uint64_t>;
  using Bin = plan::Bin;
  using ChunkSets = chunk_sets_t<Plan>;
  using BlockSets = block_sets_t<Plan>;

  Records() = default;
  Records(const Layout& layout, std::byte* control, std::byte* books, std::byte* item_map)
      : layout_(layout), control_(control), books_(books), item_map_(item_map) {}

  const Layout& layout() const { return layout_; }
  std::uint32_t segments() const { return layout_.segments; }
  std::uint32_t slots() const { return layout_.segments * Plan::regions_per_segment; }

  // --- The control page -----------------------------------------------------------------------
  Control& control() const { return *at<Control>(0); }
  unused_t& unused() const { return *at<unused_t>(layout_.unused); }
  bin_t& bin(Bin bin) const { return at<bin_t>(layout_.bins)[bin]; }
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
        unused().segment_head,
        Map(words + layout_.segment_words, words, layout_.segment_summary_words), {next});
  }

  // --- Slots ----------------------------------------------------------------------------------
  region_t& region(std::uint32_t slot) const { return at<region_t>(layout_.regions)[slot]; }
  ClassByte& class_byte(std::uint32_t slot) const { return class_bytes()[slot]; }
  ClassByte* class_bytes() const { return at<ClassByte>(layout_.class_bytes); }
  Map bin_regions(Bin bin) const {
    auto* words = at<std::uint64_t>(layout_.region_sets + bin * layout_.region_set_bytes());
    return Map(words + layout_.set_words, words, layout_.set_summary_words);
  }
  // A bin's regions with room, lowest first.
  auto bin_list(Bin bin) const {
    return OrderedList<std::uint32_t, Map, RegionNext>(this->bin(bin).head, bin_regions(bin),
                                                       {at<region_t>(layout_.regions)});
  }

  // --- A region's book ------------------------------------------------------------------------
  chunk_t& chunk(std::uint32_t slot, std::uint32_t chunk) const {
    return reinterpret_cast<chunk_t*>(book(slot) + Layout::chunk_records)[chunk];
  }
  Map free_chunks(std::uint32_t slot) const {
    ChunkSets& s = chunk_sets(slot);
    return Map(s.free_summary, s.free_words, ChunkSets::summary_words);
  }
  Map partial_chunks(std::uint32_t slot) const {
    ChunkSets& s = chunk_sets(slot);
    return Map(s.partial_summary, s.partial_words, ChunkSets::summary_words);
  }
  Map free_blocks(std::uint32_t lead) const {
    BlockSets& s = block_sets(lead);
    return Map(s.free_summary, s.free_words, BlockSets::summary_words);
  }
  Map dirty_blocks(std::uint32_t lead) const {
    BlockSets& s = block_sets(lead);
    return Map(s.dirty_summary, s.dirty_words, BlockSets::summary_words);
  }
  Map free_items(std::uint32_t slot, std::uint32_t chunk_index) const {
    std::byte* const maps = chunk_index < Layout::near_chunks
                                ? book(slot) + Layout::near_maps
                                : item_map_ + slot * Layout::item_map_bytes;
    std::byte* const words = maps + chunk_index * Layout::item_map_bytes_per_chunk;
    return Map(&chunk(slot, chunk_index).summary, reinterpret_cast<std::uint64_t*>(words));
  }
  // A bit for each of the smallest items of a chunk, in words as those of item maps.
  MarkWord* marks(std::uint32_t slot, std::uint32_t chunk_index) const {
    static_assert(Plan::has_marks && sizeof(MarkWord) == sizeof(std::uint64_t));
    return reinterpret_cast<MarkWord*>(item_map_ + slot * Layout::item_map_bytes + Layout::marks +
                                       chunk_index * Layout::item_map_bytes_per_chunk);
  }

  // The line that a lock stands on: see State::lock_*.
  std::byte* lock_line(std::uint32_t index) const {
    assert(index < layout_.locks());
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
  ChunkSets& chunk_sets(std::uint32_t slot) const {
    return *reinterpret_cast<ChunkSets*>(book(slot));
  }
  BlockSets& block_sets(std::uint32_t lead) const {
    return *reinterpret_cast<BlockSets*>(book(lead) + Layout::block_sets);
  }

  Layout layout_{0};
  std::byte* control_ = nullptr;
  std::byte* books_ = nullptr;
  std::byte* item_map_ = nullptr;
};

// Slots that growth or a purge has taken out of their segment: until they are put back or opened,
// nobody else knows of them.
template <class Plan, class Sync>
class TakenSlots : protected Records<Plan, Sync> {
 public:
  using Records<Plan, Sync>::Records;
  using Records<Plan, Sync>::region;
};

// What the commit lock guards, besides the slots that growth has taken.
template <class Plan, class Sync>
class GrowthBooks : protected TakenSlots<Plan, Sync> {
  using Base = TakenSlots<Plan, Sync>;

 public:
  using Base::Base, Base::region, typename Base::Bin;
  std::uint8_t& borrowed(Bin bin) const { return this->bin(bin).borrowed; }
};

// What the segments lock guards: who has which slot, and the slots that are unused or a run's.
template <class Plan, class Sync>
class SegmentBooks : protected GrowthBooks<Plan, Sync> {
  using Base = GrowthBooks<Plan, Sync>;

 public:
  using Base::Base, typename Base::Layout, typename Base::Map, typename Base::Bin;
  using Base::control, Base::layout, Base::segments, Base::slots;
  using Base::region, Base::segment_free, Base::segment_list, Base::segment_used, Base::unused;
};

// What a bin's lock guards: the bin, and all of its regions.
template <class Plan, class Sync>
class BinBooks : protected SegmentBooks<Plan, Sync> {
  using Base = SegmentBooks<Plan, Sync>;

 public:
  using Base::Base, typename Base::Layout, typename Base::Map, typename Base::Bin;
  using Base::bin, Base::bin_list, Base::bin_regions, Base::region;
  using Base::chunk, Base::free_chunks, Base::free_items, Base::partial_chunks;
  using Base::dirty_blocks, Base::free_blocks;
  using Base::layout, Base::slots;
};

template <class Plan, class Sync>
class Books : protected BinBooks<Plan, Sync> {
  using Base = BinBooks<Plan, Sync>;

 public:
  using OfBins = BinBooks<Plan, Sync>;
  using OfSegments = SegmentBooks<Plan, Sync>;
  using OfGrowth = GrowthBooks<Plan, Sync>;
  using OfTakenSlots = TakenSlots<Plan, Sync>;
  using Base::Base, typename Base::Layout, typename Base::Map, typename Base::Bin;
  using typename Base::ClassByte, typename Base::Control, typename Base::MarkWord;

  // Fixed at start, or atomic: everybody's.
  using Base::class_byte, Base::class_bytes, Base::control, Base::layout, Base::lock_line,
      Base::marks, Base::segments, Base::slots;

  [[clang::requires_capability(role::Bin::held)]]
  const OfBins& of_bins() const {
    return *this;
  }
  [[clang::requires_capability(role::Segments::held)]]
  const OfSegments& of_segments() const {
    return *this;
  }
  [[clang::requires_capability(role::Commit::held)]]
  const OfGrowth& of_growth() const {
    return *this;
  }
  [[clang::requires_capability(role::Purge::held)]]
  const OfTakenSlots& of_purge() const {
    return *this;
  }
  // For checks that look at it all while nothing else runs. Nothing in heap/ or cache/ does.
  const Records<Plan, Sync>& of_everything() const { return *this; }
};

// The numbers of core/README.md: 32 B records, 8192 regions, 32 KiB of book-keeping a region, 512 B
// of item map a chunk; without shards one page of bins and segments.
struct LayoutChecks {
  struct Sync {
    template <class T>
    using Atomic = T;
  };
  using Pow2 = Layout<plan::Pow2, Sync>;
  using Quarter = Layout<plan::Quarter, Sync>;
  static_assert(Pow2::book_bytes == 32768 && Quarter::book_bytes == 32768);
  static_assert(Pow2::near_maps == 160 && Pow2::near_chunks == 6);
  static_assert(Pow2::item_map_bytes_per_chunk == 512);
  static_assert(Pow2(256).control_page_bytes == 4096);
  static_assert(Pow2(256).books_bytes() == 256ULL << 20);
  static_assert(Pow2(256).item_maps_bytes() == 2ULL << 30);
  static_assert(Pow2(256).mappings_max() - Pow2::mappings_constant == 49152);
  static_assert(Pow2(256).segments * plan::Pow2::regions_per_segment == 8192);
};

}  // namespace strata
