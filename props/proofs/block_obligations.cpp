// Transitions of blocks in one bin whose regions are whole segments, from any state whose books are
// right: invariants/validate_region.hpp, as terms. Segment and block are any of the whole space.

#include <bit>

#include "props/proofs/heap_view.hpp"

namespace strata::prove {
namespace {

// The books, a place that the code is called for, and one that stands for all. A place is the lead
// of a segment, and a block.
struct BlockStage {
  HeapView heap;
  Place empty;  // the region that the bin counts as empty, if it does
  Place at, any, witness;

  BlockStage(Proof& proof, const BinClass& cls)
      : heap(proof, cls),
        empty(place(" of the empty region")),
        at(place("")),
        any(place(" of any")),
        witness(place(" of a witness")) {}
  BlockStage(const BlockStage&) = delete;

  Proof& proof() { return heap.proof(); }
  const Memory& before() { return proof().memory(); }
  Term units(unsigned bits) const { return heap.number(heap.bin_class().units, bits); }
  unsigned shift() const {
    return static_cast<unsigned>(std::countr_zero(heap.bin_class().unit_bytes));
  }
  Place place(const std::string& suffix) {
    const auto bits = static_cast<unsigned>(std::bit_width(heap.bin_class().units - 1));
    const Term block = bits == 0 ? heap.number(0) : heap.narrow("block" + suffix, bits);
    return {z3::shl(heap.narrow("segment" + suffix, 8), 5).simplify(), block, heap.number(0)};
  }
  Term offset_of(const Place& place) const {
    return sum(z3::shl(place.slot, 25), z3::shl(place.chunk, static_cast<int>(shift())));
  }

  // --- What a place is
  Term region(const Memory& memory, const char* field, const Place& place) const {
    return heap.region(memory, field, place.slot);
  }
  Term is_free(const Memory& memory, const Place& place) const {
    return heap.free_blocks(place.slot).is_member(memory, Place::index(place.chunk));
  }
  Term is_dirty(const Memory& memory, const Place& place) const {
    return heap.dirty_blocks(place.slot).is_member(memory, Place::index(place.chunk));
  }
  Term is_writable(const Memory& memory, const Place& place) const {
    const Term through = z3::shl(place.chunk + 1, static_cast<int>(shift()) - 16);
    return z3::ule(through, z3::zext(region(memory, "span_writable", place), 48));
  }
  Term is_used(const Memory& memory, const Place& place) const {
    return heap.is_of_bin(memory, place.slot) && !is_free(memory, place) &&
           is_writable(memory, place) &&
           z3::zext(region(memory, "purged_block", place), 32) != place.chunk + 1;
  }
  Term is_empty(const Memory& memory, const Place& place) const {
    return heap.is_of_bin(memory, place.slot) && region(memory, "free_units", place) == units(16);
  }
  Term dirty_bytes(const Memory& memory, const Place& place) const {
    return z3::ite(is_dirty(memory, place), heap.number(heap.bin_class().unit_bytes),
                   heap.number(0));
  }

  // --- What is right
  Statements all(const Memory& memory, const Place& the_empty, const Place& place) const {
    const Term ours = heap.is_of_bin(memory, place.slot);
    const Term empty_here = is_empty(memory, place);
    const Term count = heap.bin(memory, "empty_regions");
    return {
        {"the class is published",
         memory.field(heap.class_bytes, "value", place.slot) == region(memory, "cls", place)},
        {"the bin's list holds its regions with room",
         heap.in_list(memory, place.slot) == (ours && region(memory, "free_units", place) != 0)},
        {"free blocks are counted",
         z3::implies(ours, z3::zext(region(memory, "free_units", place), 16) ==
                               heap.free_blocks(place.slot).size(memory))},
        {"a bin keeps one empty region at most", z3::ule(count, 1)},
        {"an empty region is counted",
         z3::implies(empty_here, count == 1 && place.slot == the_empty.slot)},
        {"a counted region is empty", z3::implies(count == 1, is_empty(memory, the_empty))},
        {"a used block is marked dirty",
         z3::implies(is_used(memory, place), is_dirty(memory, place))},
        {"what a purger holds is not free",
         z3::implies(ours && z3::zext(region(memory, "purged_block", place), 32) == place.chunk + 1,
                     !is_free(memory, place))},
    };
  }
  void assume_right(const std::vector<Place>& places) {
    for (const Place& place : places) {
      assume_all(proof(), all(before(), empty, place));
      assume_sizes(before(), place);
      for (const Place& other : places) {
        proof().assume(heap.list_in_order(before(), place.slot, other.slot));
      }
    }
    assume_all(proof(), all(before(), empty, empty));
    assume_sizes(before(), empty);
  }
  // True of every set, in any state.
  void assume_sizes(const Memory& memory, const Place& place) {
    proof().assume(heap.free_blocks(place.slot).size_counts(memory, Place::index(place.chunk)));
  }
  // Where the code looked, and what its calls found.
  void assume_where_read(const End& end, const std::vector<Place>& places) {
    std::vector<Place> slots = places;
    for (const Place& place : places) {
      assume_sizes(end.memory, place);
      heap.assume_facts(end, place);
    }
    for (const Term& slot : end.memory.read(heap.regions.object)) {
      slots.push_back({slot, heap.number(0), heap.number(0)});
      assume_all(proof(), all(before(), empty, slots.back()));
    }
    heap.assume_order(end, slots);
  }
  void claim_right(const Memory& after) {
    const Term is_now = is_empty(after, at);
    const Place now = {z3::ite(is_now, at.slot, empty.slot), z3::ite(is_now, at.chunk, empty.chunk),
                       heap.number(0)};
    claim_all(proof(), all(after, now, any));
    proof().claim("the list is in order", heap.list_in_order(after, any.slot, witness.slot));
    proof().claim("no region comes or leaves",
                  region(after, "cls", any) == region(before(), "cls", any) &&
                      heap.bin(after, "regions") == heap.bin(before(), "regions"));
    proof().claim("nothing becomes writable, nor leaves a purger's hands",
                  region(after, "span_writable", any) == region(before(), "span_writable", any) &&
                      region(after, "purged_block", any) == region(before(), "purged_block", any));
    const Term same = at.slot == any.slot && at.chunk == any.chunk;
    proof().claim("other blocks stay free or used, dirty or clean",
                  same || (is_free(after, any) == is_free(before(), any) &&
                           is_dirty(after, any) == is_dirty(before(), any)));
  }
  Term moved(const Memory& after, const char* counter) {
    return heap.control(after, counter) - heap.control(before(), counter);
  }
};

// What comes out of a bin whose first region with room has a free block that is writable, `ready`.
// (Or of a bin without one: nothing.)
void take(Proof& proof, const BinClass& cls) {
  BlockStage on(proof, cls);
  const Memory& before = on.before();
  const Term head = on.heap.bin(before, "head");
  const Term none = head == proof.number(0xFFFF'FFFF, 32);
  proof.assume(none || z3::zext(head, 32) == on.at.slot);
  Place ready = on.place(" that is ready");
  ready.slot = on.at.slot;
  proof.assume(on.is_free(before, ready) && on.is_writable(before, ready));
  proof.look_at(on.heap.free_blocks(on.at.slot), Place::index(ready.chunk));
  const Value where = proof.records({"where", 8, 1, {{"offset", 0, 64}}});
  const auto offset = [&](const End& end) {
    return end.memory.field(where, "offset", proof.number(0));
  };
  const std::vector<Place> places = {on.at, on.any, on.witness, ready};
  on.assume_right(places);
  proof.after(
      "block_take", on.heap.arguments({{proof.number(cls.cls, 32)}, where}),
      [&](const End& end) {
        // The place that the proof speaks of is that of what came out.
        const Term within = offset(end) & proof.number(plan::Standard::segment_bytes - 1);
        proof.assume(none || on.at.chunk == z3::lshr(within, static_cast<int>(on.shift())));
        on.assume_where_read(end, places);
      },
      [&](const End& end) {
        const Memory& after = end.memory;
        const auto when_taken = [&](const Term& holds) { return none || holds; };
        const Term zero = end.result.term.extract(1, 1) == proof.number(1, 1);
        on.claim_right(after);
        proof.claim(
            "one block, or none of an empty bin",
            end.result.term.extract(0, 0) == z3::ite(none, proof.number(0, 1), proof.number(1, 1)));
        proof.claim("the offset is that of a block",
                    when_taken(offset(end) == on.offset_of(on.at)));
        proof.claim("it was free and writable",
                    when_taken(on.is_free(before, on.at) && on.is_writable(before, on.at)));
        proof.claim("it is in use now", when_taken(on.is_used(after, on.at)));
        proof.claim("it is known to be zero if it is clean",
                    when_taken(zero == !on.is_dirty(before, on.at)));
        proof.claim("lowest first",
                    when_taken(on.at.slot != on.any.slot || z3::uge(on.any.chunk, on.at.chunk) ||
                               !on.is_free(before, on.any)));
        const auto if_taken = [&](const Term& bytes) {
          return z3::ite(none, proof.number(0), bytes);
        };
        proof.claim("it counts as live, no more as dirty",
                    on.moved(after, "live_bytes") == if_taken(proof.number(cls.unit_bytes)) &&
                        on.moved(after, "dirty_bytes") == if_taken(-on.dirty_bytes(before, on.at)));
      });
}

// Any byte of any block of the bin's regions is put. The region stays, as it does unless its last
// used block is put while the bin has an empty region.
void put(Proof& proof, const BinClass& cls) {
  BlockStage on(proof, cls);
  const Memory& before = on.before();
  const Term inside = on.heap.narrow("inside", on.shift());
  const Term offset = sum(on.offset_of(on.at), inside);
  // The caller has seen the class of the very slot.
  proof.assume(on.heap.is_of_bin(before, on.at.slot));
  proof.assume(before.field(on.heap.class_bytes, "value", z3::lshr(offset, 25).simplify()) ==
               proof.number(cls.cls, 8));
  const Term good = on.is_used(before, on.at) && inside == 0;
  proof.assume(!(good && on.heap.bin(before, "empty_regions") == 1 &&
                 on.region(before, "free_units", on.at) == proof.number(cls.units - 1, 16)));
  const Value closed = proof.records({"closed", 4, 1, {{"slots", 0, 32}}});
  const std::vector<Place> places = {on.at, on.any, on.witness};
  on.assume_right(places);
  proof.after(
      "block_put", on.heap.arguments({{proof.number(cls.cls, 32)}, {offset}, closed}),
      [&](const End& end) { on.assume_where_read(end, places); },
      [&](const End& end) {
        const Memory& after = end.memory;
        const auto says = [&](Problem what) { return end.result.term == number_of(what); };
        on.claim_right(after);
        proof.claim("a used block, and only that, is in order", says(Problem::none) == good);
        proof.claim("not the first byte of a block: an interior pointer",
                    says(Problem::interior_pointer) == (inside != 0));
        proof.claim("free already, or not handed out: a double free",
                    says(Problem::double_free) == (inside == 0 && !on.is_used(before, on.at)));
        proof.claim("it is free now, and as dirty as it was",
                    z3::implies(good, on.is_free(after, on.at) && on.is_dirty(after, on.at)));
        proof.claim(
            "a bad one changes nothing",
            good || (on.is_free(after, on.at) == on.is_free(before, on.at) &&
                     on.is_dirty(after, on.at) == on.is_dirty(before, on.at) &&
                     on.moved(after, "live_bytes") == 0 && on.moved(after, "dirty_bytes") == 0));
        proof.claim(
            "it counts as dirty, no more as live",
            z3::implies(good, on.moved(after, "live_bytes") == -proof.number(cls.unit_bytes) &&
                                  on.moved(after, "dirty_bytes") == proof.number(cls.unit_bytes)));
        proof.claim("no region leaves",
                    after.field(closed, "slots", proof.number(0)) == proof.number(0, 32));
      });
}

}  // namespace

std::vector<Obligation> block_obligations() {
  std::vector<Obligation> all;
  for (std::uint32_t cls = plan::Pow2::first_block; cls <= plan::Pow2::last_block; cls += 7) {
    const BinClass blocks = BinClass::blocks_of<plan::Pow2>(cls);
    const std::string of = ", blocks of " + std::to_string(blocks.unit_bytes >> 10) + " KiB";
    all.push_back({"a block is taken" + of, [=](Proof& proof) { take(proof, blocks); }});
    all.push_back(
        {"a block is put, its region stays" + of, [=](Proof& proof) { put(proof, blocks); }});
  }
  return all;
}

}  // namespace strata::prove
