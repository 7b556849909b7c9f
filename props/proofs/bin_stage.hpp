// What proofs of a bin of items have in common.
#pragma once

#include "props/proofs/item_invariants.hpp"

namespace strata::prove {

// What each of these proofs needs: the books, a place that the code is called for, and one that
// stands for all.
struct BinStage {
  HeapView heap;
  ItemInvariants right;
  Ghosts ghosts;
  Place at, any, witness;

  BinStage(Proof& proof, const BinClass& cls)
      : heap(proof, cls),
        right(heap),
        ghosts(right.ghosts()),
        at(heap.place()),
        any(heap.place(" of any")),
        witness(heap.place(" of a witness")) {}
  BinStage(const BinStage&) = delete;

  Proof& proof() { return heap.proof(); }
  const Memory& before() { return proof().memory(); }
  Term same_region() const { return at.slot == any.slot; }
  Term same_chunk() const { return same_region() && at.chunk == any.chunk; }
  Term field(const Memory& memory, const char* name) const {
    return heap.region(memory, name, at.slot);
  }
  Term writable() { return right.is_writable(before(), at); }

  void call(const std::string& function, bool with_chunk,
            const std::function<void(const End&)>& then) {
    std::vector<Value> more = {{heap.number(heap.bin_class().cls, 32)}, {Place::index(at.slot)}};
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
    proof().claim(
        "a bin's regions are counted",
        heap.bin(after, "regions") - ours(after) == heap.bin(before(), "regions") - ours(before()));
    proof().claim("other slots keep their class",
                  same_region() || heap.region(after, "cls", any.slot) ==
                                       heap.region(before(), "cls", any.slot));
    claim_all(proof(), right.all(after, now, any));
    proof().claim("the list is in order", heap.list_in_order(after, any.slot, witness.slot));
  }
  // And what is not of the chunk is as it was.
  void claim_right(const Memory& after, const Ghosts& now) {
    claim_books(after, now);
    claim_others_stay(after);
    proof().claim("other chunks stay free, partial, full",
                  same_chunk() || closed_region(after) ||
                      (right.is_free(after, any) == right.is_free(before(), any) &&
                       right.is_partial(after, any) == right.is_partial(before(), any)));
    proof().claim("items stay free, held or used",
                  right.is_free_item(after, any) == right.is_free_item(before(), any));
  }
  void claim_others_stay(const Memory& after) {
    Term region = proof().truth(true);
    for (const char* name : {"free_units", "partial_chunks", "writable", "dirty", "cls"}) {
      region =
          region && heap.region(after, name, any.slot) == heap.region(before(), name, any.slot);
    }
    proof().claim("another region's record stays", same_region() || region);
    Term chunk = proof().truth(true);
    for (const char* name : {"free_items", "dirty_pages", "held_pages"}) {
      chunk = chunk && heap.chunk(after, name, any) == heap.chunk(before(), name, any);
    }
    proof().claim("another chunk's record stays", same_chunk() || closed_region(after) || chunk);
  }
  Term closed_region(const Memory& after) {
    return same_region() && field(after, "cls") != field(before(), "cls");
  }
  Term moved(const Memory& after, const char* counter) {
    return heap.control(after, counter) - heap.control(before(), counter);
  }
};

}  // namespace strata::prove
