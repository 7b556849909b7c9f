// The books of one bin and of the segments as the proofs see them, and what must hold of books that
// are right: at one place, which stands for all.
#pragma once

#include "hooks/report.hpp"
#include "plan/plan.hpp"
#include "props/proofs/bit_terms.hpp"
#include "props/proofs/proof.hpp"

namespace strata::prove {

// As the entry points return it.
constexpr int number_of(Problem problem) { return static_cast<int>(problem); }

// What is said, by name; all of it at one place.
using Statements = std::vector<std::pair<std::string, Term>>;

// A place in the heap space: slot, chunk and item, as words. For blocks `chunk` is the block.
struct Place {
  Term slot, chunk, item;

  Term chunk_index() const { return sum(z3::shl(slot, 9), chunk); }
  static Term index(const Term& word) { return word.extract(31, 0).simplify(); }
};

// The class that a bin is of, as numbers.
struct BinClass {
  std::uint32_t cls;
  std::uint64_t unit_bytes;
  std::uint32_t units;  // items in a chunk, or blocks in a region

  bool is_blocks() const { return unit_bytes >= plan::Standard::chunk_bytes; }
  std::uint32_t items() const { return is_blocks() ? 4096 : units; }
  std::uint32_t blocks() const { return is_blocks() ? units : 16384; }

  template <class P>
  static BinClass items_of(std::uint32_t cls) {
    return {cls, P::unit_bytes(cls), P::items_per_chunk(cls)};
  }
  template <class P>
  static BinClass blocks_of(std::uint32_t cls) {
    return {cls, P::unit_bytes(P::bin_class(cls)), P::blocks_per_region(cls)};
  }
};

class HeapView {
 public:
  static constexpr std::uint64_t slots = 8192;
  static constexpr std::uint64_t chunk_bytes = plan::Standard::chunk_bytes;
  static constexpr std::uint64_t chunks_per_region = plan::Standard::chunks_per_region;
  static constexpr std::uint32_t slots_per_segment = plan::Standard::regions_per_segment;

  HeapView(Proof& proof, const BinClass& cls, std::uint32_t segments = 256);

  // The books, then what else the function takes.
  Proof::Arguments arguments(const std::vector<Value>& more) const;
  static Value value(const Term& term) { return {term}; }

  // --- Inputs
  Term narrow(const std::string& name, unsigned bits) const;
  Place place(const std::string& suffix = "") const;

  // --- Contents
  Term region(const Memory& memory, const char* field, const Term& slot) const {
    return memory.field(regions, field, slot);
  }
  Term chunk(const Memory& memory, const char* field, const Place& at) const {
    return memory.field(chunks, field, at.chunk_index());
  }
  Term bin(const Memory& memory, const char* field) const {
    return memory.field(the_bin, field, number(0));
  }
  Term control(const Memory& memory, const char* field) const {
    return memory.field(the_control, field, number(0));
  }
  Term unused(const Memory& memory, const char* field) const {
    return memory.field(the_unused, field, number(0));
  }
  MapTerms free_chunks(const Term& slot) const { return {free_chunk_maps, slot}; }
  MapTerms partial_chunks(const Term& slot) const { return {partial_chunk_maps, slot}; }
  MapTerms items(const Place& at) const { return {item_maps, at.chunk_index()}; }
  MapTerms list() const { return {list_map, number(0)}; }
  MapTerms segment_list() const { return {segment_map, number(0)}; }
  MapTerms free_blocks(const Term& lead) const { return {free_block_maps, lead}; }
  MapTerms dirty_blocks(const Term& lead) const { return {dirty_block_maps, lead}; }

  Term number(std::uint64_t value, unsigned bits = 64) const { return proof_.number(value, bits); }
  Proof& proof() const { return proof_; }
  const BinClass& bin_class() const { return class_; }
  Term is_of_bin(const Memory& memory, const Term& slot) const {
    return region(memory, "cls", slot) == number(class_.cls, 8);
  }
  Term has_room(const Memory& memory, const Term& slot) const;
  Term in_list(const Memory& memory, const Term& slot) const {
    return list().is_member(memory, Place::index(slot));
  }

  // The list is in order: the head names the first member, and the link of the member `slot` the
  // next one; no other, of which `witness` stands for all, lies between.
  Term list_in_order(const Memory& memory, const Term& slot, const Term& witness) const;

  // --- What is so, wherever a claim or the code looks
  // What every fact that a path found says at a place.
  void assume_facts(const End& end, const Place& at) const;
  // That the list was in order, of each pair of slots; and what was found of it, where links lead.
  void assume_order(const End& end, const std::vector<Place>& slots) const;

  Value regions, chunks, the_bin, the_control, the_unused, class_bytes, free_slots, used_slots,
      segment_links;
  MapShape free_chunk_maps, partial_chunk_maps, item_maps, list_map, segment_map;
  MapShape free_block_maps, dirty_block_maps;
  Term base;

 private:
  Proof& proof_;
  BinClass class_;
  std::uint32_t segments_;
};

// That all of them hold, by name.
void claim_all(Proof& proof, const Statements& statements);
void assume_all(Proof& proof, const Statements& statements);

}  // namespace strata::prove
