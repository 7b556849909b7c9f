// The books as objects of their own, one for each kind of record: that the real ones do not overlap
// is proved of the layout. And what the code of a bin and of the segments asks of the heap's state.
//
// The proofs know bin maps by contract; the machine's own test runs the same code on the real ones.
#pragma once

#include "heap/state.hpp"
#include "subject/proof_sync.hpp"

namespace strata {

template <class MapT>
struct ProofBooks {
  using Plan = plan::Standard;
  using Map = MapT;
  using Word = std::uint64_t;
  using Control = control_t<ProofSync>;

  // The doors of the real ones lead to the same records.
  using OfBins = ProofBooks;
  using OfSegments = ProofBooks;
  using OfTakenSlots = ProofBooks;
  const ProofBooks& of_bins() const { return *this; }
  const ProofBooks& of_segments() const { return *this; }
  const ProofBooks& of_growth() const { return *this; }

  std::uint32_t segments() const { return segment_count; }
  Control& control() const { return *the_control; }
  unused_t& unused() const { return *the_unused; }
  bin_t& bin(std::uint32_t) const { return *the_bin; }
  region_t& region(std::uint32_t slot) const { return regions[slot]; }
  std::uint8_t& class_byte(std::uint32_t slot) const { return class_bytes[slot]; }
  chunk_t& chunk(std::uint32_t slot, std::uint32_t c) const {
    return chunks[slot * Plan::chunks_per_region + c];
  }

  Map free_chunks(std::uint32_t slot) const { return {free_summary + slot, free_words + slot * 8}; }
  Map partial_chunks(std::uint32_t slot) const {
    return {partial_summary + slot, partial_words + slot * 8};
  }
  Map free_items(std::uint32_t slot, std::uint32_t c) const {
    return {&chunk(slot, c).summary, item_words + (std::uint64_t{slot} * 512 + c) * 64};
  }
  Map free_blocks(std::uint32_t lead) const {
    return {block_free_summary + lead * 4, block_free_words + lead * 256, 4};
  }
  Map dirty_blocks(std::uint32_t lead) const {
    return {block_dirty_summary + lead * 4, block_dirty_words + lead * 256, 4};
  }

  struct RegionNext {
    region_t* regions;
    std::uint32_t& operator()(std::uint32_t slot) const { return regions[slot].next; }
  };
  Map bin_regions(std::uint32_t) const { return {list_summary, list_words, 2}; }
  auto bin_list(std::uint32_t) const {
    return OrderedList<std::uint32_t, Map, RegionNext>(the_bin->head, bin_regions(0), {regions});
  }

  struct SegmentNext {
    std::uint16_t* links;
    std::uint16_t& operator()(std::uint32_t segment) const { return links[segment]; }
  };
  std::uint32_t& segment_free(std::uint32_t segment) const { return free_slots[segment]; }
  std::uint8_t& segment_used(std::uint32_t segment) const { return used_slots[segment]; }
  auto segment_list() const {
    return OrderedList<std::uint16_t, Map, SegmentNext>(
        the_unused->segment_head, Map{segment_summary, segment_words, 1}, {segment_links});
  }

  region_t* regions;
  chunk_t* chunks;
  bin_t* the_bin;
  Control* the_control;
  unused_t* the_unused;
  std::uint8_t* class_bytes;
  std::uint32_t* free_slots;
  std::uint8_t* used_slots;
  std::uint16_t* segment_links;
  Word *free_summary, *partial_summary, *list_summary, *segment_summary;
  Word *block_free_summary, *block_dirty_summary;
  Word *free_words, *partial_words, *item_words, *list_words, *segment_words;
  Word *block_free_words, *block_dirty_words;
  std::uint64_t base;
  std::uint32_t segment_count;
};

template <class P, class Map>
struct ProofHeap {
  using Plan = P;
  using Books = ProofBooks<Map>;
  using Class = plan::Class;
  struct Lock {
    ~Lock() {}  // NOLINT(modernize-use-equals-default): else nobody would use a lock
    void release() {}
  };

  explicit ProofHeap(const Books& at) : books(at), base(at.base) {}

  Lock lock_segments() { return {}; }
  Address address_of(std::uint64_t offset) const { return base + offset; }
  Class class_at(std::uint64_t offset) const {
    return books.class_byte(static_cast<std::uint32_t>(P::slot_of(offset)));
  }
  void publish_class(std::uint32_t slot, Class cls) {
    books.region(slot).cls = static_cast<std::uint8_t>(cls);
    books.class_byte(slot) = static_cast<std::uint8_t>(cls);
  }
  void publish_run(std::uint32_t slot, Class cls) { publish_class(slot, cls); }
  std::uint16_t quarter() const { return 0; }
  void count_live(std::uint64_t bytes) { books.control().live_bytes.value += bytes; }
  void uncount_live(std::uint64_t bytes) { books.control().live_bytes.value -= bytes; }
  void count_dirty(std::uint64_t bytes) { books.control().dirty_bytes.value += bytes; }
  void uncount_dirty(std::uint64_t bytes) { books.control().dirty_bytes.value -= bytes; }

  Books books;
  Address base;
  NoHooks hooks{};
};

}  // namespace strata
