// Transitions of the segments: who has which slot. From any state whose books are right; slot and
// segment are any of the whole space.

#include "props/proofs/heap_view.hpp"

namespace strata::prove {
namespace {

struct Stage {
  HeapView heap;
  Term at, any, witness;  // slots

  explicit Stage(Proof& proof)
      : heap(proof, BinClass::items_of<plan::Pow2>(3)),
        at(heap.narrow("slot", 13)),
        any(heap.narrow("slot of any", 13)),
        witness(heap.narrow("slot of a witness", 13)) {
    for (const Term& slot : {at, any, witness}) {
      assume_all(proof, right(proof.memory(), slot));
      proof.assume(counted(proof.memory(), slot));
    }
  }
  Stage(const Stage&) = delete;

  Proof& proof() { return heap.proof(); }
  const Memory& before() { return proof().memory(); }

  static Term segment_of(const Term& slot) { return z3::lshr(slot, 5).simplify(); }
  Term map(const Memory& memory, const Term& slot) const {
    return memory.field(heap.free_slots, "value", segment_of(slot));
  }
  Term is_unused(const Memory& memory, const Term& slot) const {
    const Term by = z3::zext(slot.extract(4, 0), 27);
    return z3::lshr(map(memory, slot), by).extract(0, 0) == heap.number(1, 1);
  }
  Term is_listed(const Memory& memory, const Term& slot) const {
    return heap.segment_list().is_member(memory, Place::index(segment_of(slot)));
  }

  // What must hold of a slot and its segment.
  Statements right(const Memory& memory, const Term& slot) const {
    const Term used = memory.field(heap.used_slots, "value", segment_of(slot));
    const Term free = ones(map(memory, slot));
    return {
        {"used slots are counted", z3::zext(used, 24) == heap.number(32, 32) - free},
        {"segments with free slots are listed",
         is_listed(memory, slot) == (map(memory, slot) != 0)},
    };
  }
  // True of any count of free slots, and of dirty ones among them.
  Term counted(const Memory& memory, const Term& slot) const {
    const Term count = heap.unused(memory, "free_slots");
    return z3::ule(count, HeapView::slots) && z3::implies(is_unused(memory, slot), count != 0) &&
           (is_unused(memory, slot) || count != heap.number(HeapView::slots, 32));
  }

  void call(const std::string& function, const std::vector<Value>& more,
            const std::function<void(const End&)>& then) {
    proof().after(
        function, heap.arguments(more),
        [&](const End& end) {
          for (const Term& slot : {at, any, witness}) {
            heap.assume_facts(end, {slot, heap.number(0), heap.number(0)});
            const Term segment = Place::index(segment_of(slot));
            for (const Memory* memory : {&before(), &end.memory}) {
              proof().assume(heap.segment_list().size_counts(*memory, segment));
            }
          }
          assume_order(end);
        },
        then);
  }

  Term link(const Memory& memory, const Term& segment) const {
    return z3::zext(memory.field(heap.segment_links, "value", segment), 48);
  }
  Term head(const Memory& memory) const {
    return z3::zext(heap.unused(memory, "segment_head"), 48);
  }
  // As HeapView::list_in_order, of segments.
  Term in_order(const Memory& memory, const Term& segment, const Term& other) const {
    const auto is_in = [&](const Term& at_segment) {
      return heap.segment_list().is_member(memory, Place::index(at_segment));
    };
    const auto leads = [&](const Term& to, const Term& from, const Term& from_start) {
      const Term passed = is_in(other) && (from_start || z3::ugt(other, from));
      return z3::ite(
          to == 0xFFFF, !passed,
          is_in(to) && (from_start || z3::ugt(to, from)) && !(passed && z3::ult(other, to)));
    };
    return leads(head(memory), segment, proof_truth(true)) &&
           z3::implies(is_in(segment), leads(link(memory, segment), segment, proof_truth(false)));
  }
  Term proof_truth(bool holds) const { return heap.proof().truth(holds); }

  void assume_order(const End& end) {
    std::vector<Term> segments = {segment_of(at), segment_of(any), segment_of(witness)};
    for (const Term& read : end.memory.read(heap.segment_links.object)) {
      segments.push_back(read);
    }
    const auto assume_found = [&](const Term& segment) {
      heap.assume_facts(end, {z3::shl(segment, 5), heap.number(0), heap.number(0)});
    };
    assume_found(head(before()));
    for (const Term& segment : segments) {
      assume_found(segment);
      assume_found(link(before(), segment));
      for (const Term& other : segments) {
        proof().assume(in_order(before(), segment, other));
      }
    }
  }

  // The slot changes hands, and nothing else.
  void claim_moved(const End& end, const Term& slot, bool taken) {
    const Memory& after = end.memory;
    claim_all(proof(), right(after, any));
    proof().claim("the list is in order", in_order(after, segment_of(any), segment_of(witness)));
    proof().claim("the slot changes hands", is_unused(after, slot) == proof_truth(!taken));
    proof().claim("no other slot does",
                  any == slot || is_unused(after, any) == is_unused(before(), any));
    const auto moved = [&](const char* field, const Term& by) {
      const Term was = heap.unused(before(), field);
      return heap.unused(after, field) == (taken ? was - by : was + by);
    };
    proof().claim("unused slots are counted", moved("free_slots", heap.number(1, 32)));
    const Term dirty =
        z3::ite(heap.region(before(), "dirty", slot) != 0, heap.number(1, 32), heap.number(0, 32));
    proof().claim("dirty unused slots are counted", moved("dirty_slots", dirty));
  }
};

void moves(Proof& proof, bool taken) {
  Stage on(proof);
  proof.assume(on.is_unused(on.before(), on.at) == proof.truth(taken));
  on.call(taken ? "segments_hold_slot" : "segments_put_slot", {{Place::index(on.at)}},
          [&](const End& end) { on.claim_moved(end, on.at, taken); });
}

// Of a segment that has unused slots; the lowest such one, or there is none.
void takes(Proof& proof) {
  Stage on(proof);
  const Memory& before = on.before();
  proof.assume(on.head(before) == on.segment_of(on.at) || on.head(before) == 0xFFFF);
  on.call("segments_take_slot", {}, [&](const End& end) {
    const Term got = z3::zext(end.result.term, 32);
    const Term none = got == proof.number(0xFFFF'FFFF);
    proof.claim("none is found only if there is none",
                z3::implies(none, !on.is_unused(before, on.any) && on.head(before) == 0xFFFF));
    proof.claim("it is the lowest unused one",
                none || (on.is_unused(before, got) &&
                         !(on.is_unused(before, on.any) && z3::ult(on.any, got))));
    proof.claim("it is used now", none || !on.is_unused(end.memory, got));
    proof.claim("no other slot changes hands",
                (!none && on.any == got) ||
                    on.is_unused(end.memory, on.any) == on.is_unused(before, on.any));
    claim_all(proof, on.right(end.memory, on.any));
    proof.claim("the list is in order",
                on.in_order(end.memory, on.segment_of(on.any), on.segment_of(on.witness)));
  });
}

}  // namespace

std::vector<Obligation> segment_obligations() {
  return {
      {"a given slot is taken", [](Proof& proof) { moves(proof, true); }},
      {"a slot is put back", [](Proof& proof) { moves(proof, false); }},
      {"the lowest slot is taken", takes},
  };
}

}  // namespace strata::prove
