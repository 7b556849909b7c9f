#include "props/proofs/item_invariants.hpp"

#include <set>

#include "props/proofs/bit_terms.hpp"

namespace strata::prove {
namespace {

Term same_region(const Place& a, const Place& b) { return a.slot == b.slot; }
Term same_chunk(const Place& a, const Place& b) { return a.slot == b.slot && a.chunk == b.chunk; }

// A bin counts the empty ones, of which there is at most one: that one.
void count_of_one(Statements& all, const std::string& what, const Term& count, const Term& is_empty,
                  const Term& is_the_one, const Term& the_one_is) {
  all.emplace_back("a bin keeps one empty " + what + " at most", z3::ule(count, 1));
  all.emplace_back("an empty " + what + " is counted",
                   z3::implies(is_empty, count == 1 && is_the_one));
  all.emplace_back("a counted " + what + " is empty", z3::implies(count == 1, the_one_is));
}

// A place that is named twice says nothing new.
class Distinct {
 public:
  explicit Distinct(bool chunks) : chunks_(chunks) {}
  bool is_new(const Place& at) {
    const unsigned chunk = chunks_ ? at.chunk.id() : 0;
    const bool added = terms_.emplace(at.slot.id(), chunk).second;
    if (added) {
      places_.push_back(at);
    }
    return added;
  }
  const std::vector<Place>& places() const { return places_; }

 private:
  bool chunks_;
  std::set<std::pair<unsigned, unsigned>> terms_;
  std::vector<Place> places_;
};

}  // namespace

Ghosts ItemInvariants::ghosts() const {
  z3::context& context = heap_.base.ctx();
  const z3::func_decl held = context.function("held", context.bv_sort(64), context.bool_sort());
  return {heap_.place(" of the empty region"), heap_.place(" of the empty chunk"),
          [held](const Place& at) { return held(at.chunk_index()); }};
}

Term ItemInvariants::is_empty_region(const Memory& memory, const Place& at) const {
  return heap_.is_of_bin(memory, at.slot) && heap_.region(memory, "free_units", at.slot) ==
                                                 heap_.number(HeapView::chunks_per_region, 16);
}

Term ItemInvariants::is_empty_chunk(const Memory& memory, const Place& at) const {
  return heap_.is_of_bin(memory, at.slot) && is_partial(memory, at) &&
         heap_.chunk(memory, "free_items", at) == heap_.number(heap_.bin_class().units, 16);
}

Term ItemInvariants::is_used(const Memory& memory, const Ghosts& ghosts, const Place& at) const {
  const Term in_hands = heap_.chunk(memory, "held_pages", at) & held_with(at);
  return heap_.is_of_bin(memory, at.slot) && is_writable(memory, at) && !is_free(memory, at) &&
         !ghosts.is_held(at) && in_hands == 0 &&
         z3::ult(at.item, heap_.number(heap_.bin_class().units)) && !is_free_item(memory, at);
}

Term ItemInvariants::pages(const Place& at) const {
  const Term start = at.item * heap_.number(heap_.bin_class().unit_bytes);
  const Term end = start + heap_.number(heap_.bin_class().unit_bytes - 1);
  const Term first = z3::lshr(start, 12);
  const Term last = z3::lshr(end, 12);
  const Term mask = z3::shl(heap_.number(2), last) - z3::shl(heap_.number(1), first);
  return mask.extract(15, 0).simplify();
}

Term ItemInvariants::held_with(const Place& at) const {
  const std::uint64_t used = heap_.bin_class().units * heap_.bin_class().unit_bytes;
  const std::uint64_t page_end = (used + 4095) >> 12;  // the first page that no item touches
  const std::uint64_t behind = 0xFFFF & (~std::uint64_t{0} << page_end);
  const Term is_last = at.item == heap_.number(heap_.bin_class().units - 1);
  return pages(at) | z3::ite(is_last, heap_.number(behind, 16), heap_.number(0, 16));
}

Term ItemInvariants::dirty_bytes(const Memory& memory, const Place& at) const {
  const Term count = ones(heap_.chunk(memory, "dirty_pages", at));
  return z3::shl(z3::zext(count, 48), 12);
}

Statements ItemInvariants::region(const Memory& memory, const Ghosts& ghosts,
                                  const Place& at) const {
  const auto field = [&](const char* name) { return heap_.region(memory, name, at.slot); };
  const auto size = [&](const MapTerms& map) { return map.size(memory); };
  const Term ours = heap_.is_of_bin(memory, at.slot);
  const Term unused = field("cls") == 0;
  Statements all = {
      {"the class is published", memory.field(heap_.class_bytes, "value", at.slot) == field("cls")},
      {"the bin's list holds its regions with room",
       heap_.in_list(memory, at.slot) == (ours && heap_.has_room(memory, at.slot))},
      {"free chunks are counted",
       z3::implies(ours, z3::zext(field("free_units"), 16) == size(heap_.free_chunks(at.slot)))},
      {"partial chunks are counted", z3::implies(ours, z3::zext(field("partial_chunks"), 16) ==
                                                           size(heap_.partial_chunks(at.slot)))},
      {"a writable prefix ends in its slot",
       z3::ule(field("writable"), HeapView::chunks_per_region)},
      {"a used slot is writable somewhere", z3::implies(ours, field("writable") != 0)},
      {"a used slot's dirt is in its books", z3::implies(ours, field("dirty") == 0)},
      {"dirt lies in the writable prefix",
       z3::implies(unused, z3::ule(field("dirty"), field("writable")))},
      {"the record of an unused slot is empty",
       z3::implies(unused, field("free_units") == 0 && field("partial_chunks") == 0)},
  };
  count_of_one(all, "region", heap_.bin(memory, "empty_regions"), is_empty_region(memory, at),
               same_region(at, ghosts.empty_region), is_empty_region(memory, ghosts.empty_region));
  return all;
}

Statements ItemInvariants::chunk(const Memory& memory, const Ghosts& ghosts,
                                 const Place& at) const {
  const auto field = [&](const char* name) { return heap_.chunk(memory, name, at); };
  const Term ours = heap_.is_of_bin(memory, at.slot);
  const Term free = is_free(memory, at);
  const Term partial = is_partial(memory, at);
  const Term held = ghosts.is_held(at);
  Statements all = {
      {"a chunk is free or partial, not both", z3::implies(ours, !(free && partial))},
      {"a chunk in somebody's hands is in no set, and empty",
       z3::implies(ours && held, !free && !partial && field("free_items") == 0)},
      {"a chunk with free items is partial",
       z3::implies(ours, partial == (field("free_items") != 0))},
      {"free items are counted",
       z3::implies(ours, z3::zext(field("free_items"), 16) == heap_.items(at).size(memory))},
      {"beyond the writable prefix all is free and clean",
       z3::implies(ours && !is_writable(memory, at),
                   (free || held) && field("dirty_pages") == 0 && field("free_items") == 0)},
      {"an unused slot's item maps are empty",
       z3::implies(heap_.region(memory, "cls", at.slot) == 0, heap_.items(at).size(memory) == 0)},
  };
  count_of_one(all, "chunk", heap_.bin(memory, "empty_chunks"), is_empty_chunk(memory, at),
               same_chunk(at, ghosts.empty_chunk), is_empty_chunk(memory, ghosts.empty_chunk));
  return all;
}

Statements ItemInvariants::item(const Memory& memory, const Ghosts& ghosts, const Place& at) const {
  const Term pages_of_it = pages(at);
  const Term exists = z3::ult(at.item, heap_.number(heap_.bin_class().units));
  return {
      {"no used item touches a clean page",
       z3::implies(is_used(memory, ghosts, at),
                   (heap_.chunk(memory, "dirty_pages", at) & pages_of_it) == pages_of_it)},
      {"no page of a free item, or of a free chunk, is in a purger's hands",
       z3::implies(heap_.is_of_bin(memory, at.slot) && exists &&
                       (is_free_item(memory, at) || is_free(memory, at)),
                   (heap_.chunk(memory, "held_pages", at) & held_with(at)) == 0)},
  };
}

Statements ItemInvariants::all(const Memory& memory, const Ghosts& ghosts, const Place& at) const {
  Statements all = region(memory, ghosts, at);
  for (const auto& part : {chunk(memory, ghosts, at), item(memory, ghosts, at)}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

void ItemInvariants::assume_chunk(const Memory& memory, const Ghosts& ghosts,
                                  const Place& at) const {
  assume_all(heap_.proof(), chunk(memory, ghosts, at));
  assume_sizes(memory, at);
}

// True of every set, in any state.
void ItemInvariants::assume_sizes(const Memory& memory, const Place& at) const {
  for (const MapTerms& map : {heap_.free_chunks(at.slot), heap_.partial_chunks(at.slot)}) {
    heap_.proof().assume(map.size_counts(memory, Place::index(at.chunk)));
  }
  heap_.proof().assume(heap_.items(at).size_counts(memory, Place::index(at.item)));
}

// Sets that share no member, and their sizes.
void ItemInvariants::assume_disjoint(const Memory& memory, const Place& at) const {
  const Term both =
      heap_.free_chunks(at.slot).size(memory) + heap_.partial_chunks(at.slot).size(memory);
  const Term all = heap_.number(HeapView::chunks_per_region, 32);
  const Term in_one = is_free(memory, at) || is_partial(memory, at);
  heap_.proof().assume(
      z3::implies(heap_.is_of_bin(memory, at.slot), z3::ule(both, all) && (in_one || both != all)));
}

// Of the number of a bin's regions: what is true of the size of any set. That it is that number is
// claimed step by step: one more where a slot becomes one.
void ItemInvariants::assume_regions_counted(const Memory& memory, const Place& at) const {
  const Term count = heap_.bin(memory, "regions");
  const Term ours = heap_.is_of_bin(memory, at.slot);
  heap_.proof().assume(z3::implies(ours, count != 0) && z3::ule(count, HeapView::slots) &&
                       (ours || z3::ult(count, HeapView::slots)));
}

void ItemInvariants::assume_at(const Ghosts& ghosts, const std::vector<Place>& places) const {
  const Memory& before = heap_.proof().memory();
  for (const Place& at : places) {
    assume_all(heap_.proof(), all(before, ghosts, at));
    assume_sizes(before, at);
    assume_regions_counted(before, at);
    assume_disjoint(before, at);
    for (const Place& witness : places) {
      heap_.proof().assume(heap_.list_in_order(before, at.slot, witness.slot));
    }
  }
  assume_chunk(before, ghosts, ghosts.empty_chunk);
  for (const Place& at : {ghosts.empty_chunk, ghosts.empty_region}) {
    assume_all(heap_.proof(), region(before, ghosts, at));
  }
}

void ItemInvariants::assume_where_read(const End& end, const Ghosts& ghosts,
                                       const std::vector<Place>& places) const {
  const Memory& before = heap_.proof().memory();
  const Term none = heap_.number(0);
  Distinct slots(false);
  for (const Place& at : places) {
    assume_sizes(end.memory, at);
    heap_.assume_facts(end, at);
    slots.is_new(at);
  }
  for (const Term& slot : end.memory.read(heap_.regions.object)) {
    const Place at{slot, none, none};
    if (slots.is_new(at)) {
      assume_all(heap_.proof(), region(before, ghosts, at));
    }
  }
  if (!end.facts.empty()) {
    heap_.assume_order(end, slots.places());
  }
}

void ItemInvariants::assume_chunks_read(const End& end, const Ghosts& ghosts) const {
  Distinct chunks(true);
  for (const Term& index : end.memory.read(heap_.chunks.object)) {
    const Place at{z3::lshr(index, 9).simplify(), (index & 511).simplify(), heap_.number(0)};
    if (chunks.is_new(at)) {
      assume_chunk(heap_.proof().memory(), ghosts, at);
      heap_.assume_facts(end, at);
    }
  }
}

}  // namespace strata::prove
