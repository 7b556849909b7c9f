// Entry points into the chunks and items of one bin, for the proofs. The books are objects of their
// own here, one for each kind of record: that the real ones do not overlap is proved of the layout.

#include "heap/items.hpp"

#include "subject/proof_sync.hpp"

namespace strata {
namespace {

using P = plan::Pow2;
using Word = std::uint64_t;

struct ProofBooks {
  using OfBins = ProofBooks;
  const ProofBooks& of_bins() const { return *this; }

  using Map = BinMap<6>;
  struct RegionNext {
    region_t* regions;
    std::uint32_t& operator()(std::uint32_t slot) const { return regions[slot].next; }
  };

  region_t& region(std::uint32_t slot) const { return regions[slot]; }
  chunk_t& chunk(std::uint32_t slot, std::uint32_t c) const { return chunks[slot * 512 + c]; }
  bin_t& bin(std::uint32_t) const { return *the_bin; }
  Map free_chunks(std::uint32_t slot) const { return {free_summary + slot, free_words + slot * 8}; }
  Map partial_chunks(std::uint32_t slot) const {
    return {partial_summary + slot, partial_words + slot * 8};
  }
  Map free_items(std::uint32_t slot, std::uint32_t c) const {
    return {&chunk(slot, c).summary, item_words + (std::uint64_t{slot} * 512 + c) * 64};
  }
  Map bin_regions(std::uint32_t) const { return {list_summary, list_words, 2}; }
  auto bin_list(std::uint32_t) const {
    return OrderedList<std::uint32_t, Map, RegionNext>(the_bin->head, bin_regions(0), {regions});
  }

  region_t* regions;
  chunk_t* chunks;
  bin_t* the_bin;
  Word *free_summary, *free_words, *partial_summary, *partial_words, *item_words;
  Word *list_summary, *list_words;
};

// What Items asks of the heap's state, and nothing else of it.
struct ItemsState {
  using Plan = P;
  using Books = ProofBooks;
  using Class = plan::Class;

  Address address_of(std::uint64_t offset) const { return base + offset; }
  void publish_class(std::uint32_t slot, Class cls) {
    books.region(slot).cls = static_cast<std::uint8_t>(cls);
  }
  void count_live(std::uint64_t) {}
  void uncount_live(std::uint64_t) {}
  void count_dirty(std::uint64_t) {}
  void uncount_dirty(std::uint64_t) {}

  ProofBooks books;
  Address base = 0;
  NoHooks hooks{};
};

}  // namespace

extern "C" {

// What is wrong with an offset, as an item in use.
std::uint32_t items_problem(region_t* regions, chunk_t* chunks, bin_t* bin, Word* free_summary,
                            Word* free_words, Word* partial_summary, Word* partial_words,
                            Word* item_words, Word* list_summary, Word* list_words,
                            std::uint32_t cls, Word offset) {
  ItemsState state{{regions, chunks, bin, free_summary, free_words, partial_summary, partial_words,
                    item_words, list_summary, list_words}};
  return static_cast<std::uint32_t>(Items<ItemsState>(state, cls).place_of(offset).problem);
}

void chunk_hold(region_t* regions, chunk_t* chunks, bin_t* bin, Word* free_summary,
                Word* free_words, Word* partial_summary, Word* partial_words, Word* item_words,
                Word* list_summary, Word* list_words, std::uint32_t cls, std::uint32_t slot,
                std::uint32_t c) {
  ItemsState state{{regions, chunks, bin, free_summary, free_words, partial_summary, partial_words,
                    item_words, list_summary, list_words}};
  Items<ItemsState>(state, cls).hold_chunk(slot, c);
}

std::uint32_t chunk_release(region_t* regions, chunk_t* chunks, bin_t* bin, Word* free_summary,
                            Word* free_words, Word* partial_summary, Word* partial_words,
                            Word* item_words, Word* list_summary, Word* list_words,
                            std::uint32_t cls, std::uint32_t slot, std::uint32_t c) {
  ItemsState state{{regions, chunks, bin, free_summary, free_words, partial_summary, partial_words,
                    item_words, list_summary, list_words}};
  return Items<ItemsState>(state, cls).release_chunk(slot, c).closed_slots;
}
}

}  // namespace strata
