// Transitions of the chunks and regions of one bin of items, from any state whose books are right.
// Slot, chunk and item are any of the whole space; the class of items makes no difference to these.

#include "props/proofs/item_invariants.hpp"

namespace strata::prove {
namespace {

constexpr std::uint32_t any_class = 3;

// What each of these proofs needs: the books, a place that the code is called for, and one that
// stands for all.
struct Stage {
  HeapView heap;
  ItemInvariants right;
  Ghosts ghosts;
  Place at, any, witness;

  explicit Stage(Proof& proof)
      : heap(proof, BinClass::items_of<plan::Pow2>(any_class)),
        right(heap),
        ghosts(right.ghosts()),
        at(heap.place()),
        any(heap.place(" of any")),
        witness(heap.place(" of a witness")) {}
  Stage(const Stage&) = delete;

  Proof& proof() { return heap.proof(); }
  const Memory& before() { return proof().memory(); }
  Term same_region() const { return at.slot == any.slot; }
  Term same_chunk() const { return same_region() && at.chunk == any.chunk; }
  Term field(const Memory& memory, const char* name) const {
    return heap.region(memory, name, at.slot);
  }
  Term writable() { return right.is_writable(before(), at); }

  void call(const std::string& function, bool with_chunk, const std::function<void(const End&)>& then) {
    std::vector<Value> more = {{heap.number(any_class, 32)}, {Place::index(at.slot)}};
    if (with_chunk) {
      more.push_back({Place::index(at.chunk)});
    }
    right.assume_at(ghosts, {at, any, witness});
    proof().after(
        function, heap.arguments(more),
        [&](const End& end) { right.assume_where_read(end, ghosts, {at, any, witness}); }, then);
  }

  // The books are right again, given what has become of the ghosts.
  void claim_books(const Memory& after, const Ghosts& now) {
    const auto ours = [&](const Memory& memory) {
      return z3::ite(heap.is_of_bin(memory, at.slot), heap.number(1, 32), heap.number(0, 32));
    };
    proof().claim("a bin's regions are counted",
                  heap.bin(after, "regions") - ours(after) ==
                      heap.bin(before(), "regions") - ours(before()));
    proof().claim("other slots keep their class",
                  same_region() || heap.region(after, "cls", any.slot) ==
                                       heap.region(before(), "cls", any.slot));
    claim_all(proof(), right.all(after, now, any));
  }
  // And what is not of the chunk is as it was.
  void claim_right(const Memory& after, const Ghosts& now) {
    claim_books(after, now);
    Term same = proof().truth(true);
    for (const char* name : {"free_units", "partial_chunks", "writable", "dirty", "cls"}) {
      same = same && heap.region(after, name, any.slot) == heap.region(before(), name, any.slot);
    }
    proof().claim("another region's record stays", same_region() || same);
    proof().claim("other chunks stay free, partial, full",
                  same_chunk() || closed_region(after) ||
                      (right.is_free(after, any) == right.is_free(before(), any) &&
                       right.is_partial(after, any) == right.is_partial(before(), any)));
    proof().claim("items stay free, held or used",
                  right.is_free_item(after, any) == right.is_free_item(before(), any));
    proof().claim("the list is in order", heap.list_in_order(after, any.slot, witness.slot));
  }
  Term closed_region(const Memory& after) {
    return same_region() && field(after, "cls") != field(before(), "cls");
  }
  Term moved(const Memory& after, const char* counter) {
    return heap.control(after, counter) - heap.control(before(), counter);
  }
};

void hold(Proof& proof) {
  Stage on(proof);
  const Memory& before = on.before();
  proof.assume(on.heap.is_of_bin(before, on.at.slot) && on.right.is_free(before, on.at));
  on.call("chunk_hold", true, [&](const End& end) {
    const Memory& after = end.memory;
    Ghosts now = on.ghosts;
    now.is_held = [&](const Place& place) {
      return on.ghosts.is_held(place) || place.chunk_index() == on.at.chunk_index();
    };
    on.claim_right(after, now);
    proof.claim("it is in no set",
                !on.right.is_free(after, on.at) && !on.right.is_partial(after, on.at));
    proof.claim("one free chunk less",
                on.field(after, "free_units") == on.field(before, "free_units") - 1);
    proof.claim("it counts as live",
                on.moved(after, "live_bytes") == proof.number(HeapView::chunk_bytes) &&
                    on.moved(after, "dirty_bytes") == -on.right.dirty_bytes(before, on.at));
  });
}

// A region that becomes empty leaves the bin if there is another such one: `closes`, with so many
// writable chunks; else it stays.
void release(Proof& proof, std::uint64_t closes) {
  Stage on(proof);
  if (closes != 0) {
    proof.set(on.heap.regions, "writable", on.at.slot, proof.number(closes, 16));
  }
  const Memory& before = on.before();
  proof.assume(on.heap.is_of_bin(before, on.at.slot) && on.ghosts.is_held(on.at));
  const Term leaves = on.field(before, "free_units") ==
                          proof.number(HeapView::chunks_per_region - 1, 16) &&
                      on.heap.bin(before, "empty_regions") == 1;
  proof.assume(leaves == proof.truth(closes != 0));
  on.call("chunk_release", true, [&](const End& end) {
    const Memory& after = end.memory;
    Ghosts now = on.ghosts;
    now.is_held = [&](const Place& place) {
      return on.ghosts.is_held(place) && place.chunk_index() != on.at.chunk_index();
    };
    const Term is_empty = on.right.is_empty_region(after, on.at);
    now.empty_region.slot = z3::ite(is_empty, on.at.slot, on.ghosts.empty_region.slot);
    on.claim_right(after, now);
    proof.claim("it reports a region that left", end.result.term == (closes != 0 ? 1 : 0));
    proof.claim("it no longer counts as live",
                on.moved(after, "live_bytes") == proof.number(0 - HeapView::chunk_bytes));
    if (closes == 0) {
      proof.claim("it is free", on.right.is_free(after, on.at));
      proof.claim("one free chunk more",
                  on.field(after, "free_units") == on.field(before, "free_units") + 1);
      proof.claim("it counts as dirty if it is",
                  on.moved(after, "dirty_bytes") == on.right.dirty_bytes(before, on.at));
    } else {
      proof.claim("the slot is unused", on.field(after, "cls") == 0);
      const Term dirty = z3::zext(on.field(after, "dirty"), 48);
      proof.claim("its dirt ends after the last dirty chunk",
                  z3::implies(on.same_region() && on.right.is_writable(before, on.any) &&
                                  on.heap.chunk(before, "dirty_pages", on.any) != 0,
                              z3::ult(on.any.chunk, dirty)));
    }
  });
}

void opens(Proof& proof, std::uint64_t writable) {
  Stage on(proof);
  const Memory& before = on.before();
  proof.set(on.heap.regions, "writable", on.at.slot, proof.number(writable, 16));
  proof.assume(on.field(before, "cls") == 0 && on.heap.bin(before, "empty_regions") == 0);
  // Books of an unused slot: nobody holds a chunk, and what was never writable was never written.
  proof.assume(!on.ghosts.is_held(on.at) && !(on.same_region() && on.ghosts.is_held(on.any)));
  proof.assume(z3::implies(on.same_region() && !on.right.is_writable(before, on.any),
                           on.heap.chunk(before, "dirty_pages", on.any) == 0 &&
                               on.heap.chunk(before, "free_items", on.any) == 0));
  on.call("region_open", false, [&](const End& end) {
    const Memory& after = end.memory;
    Ghosts now = on.ghosts;
    now.empty_region = on.at;
    on.claim_books(after, now);
    proof.claim("every chunk is free", z3::implies(on.same_region(), on.right.is_free(after, on.any)));
    proof.claim("a chunk that dirt reached is dirty, others are clean",
                z3::implies(on.same_region() && on.right.is_writable(before, on.any),
                            on.heap.chunk(after, "dirty_pages", on.any) ==
                                z3::ite(z3::ult(on.any.chunk,
                                                z3::zext(on.field(before, "dirty"), 48)),
                                        proof.number(0xFFFF, 16), proof.number(0, 16))));
  });
}

}  // namespace

std::vector<Obligation> chunk_obligations() {
  std::vector<Obligation> all = {
      {"a chunk is held", hold},
      {"a chunk is released, its region stays", [](Proof& proof) { release(proof, 0); }},
  };
  for (const std::uint64_t writable : {1U, 16U, 512U}) {
    const std::string prefix = " with " + std::to_string(writable) + " writable chunks";
    all.push_back({"a region opens" + prefix, [=](Proof& proof) { opens(proof, writable); }});
    all.push_back({"a region closes" + prefix, [=](Proof& proof) { release(proof, writable); }});
  }
  return all;
}

}  // namespace strata::prove
