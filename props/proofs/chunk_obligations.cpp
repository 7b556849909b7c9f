// Transitions of the chunks and regions of one bin of items, from any state whose books are right.
// Slot, chunk and item are any of the whole space.

#include "props/proofs/bin_stage.hpp"

namespace strata::prove {
namespace {

// The class of items makes no difference to these.
const BinClass any_class = BinClass::items_of<plan::Pow2>(3);

void hold(Proof& proof) {
  BinStage on(proof, any_class);
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
  BinStage on(proof, any_class);
  if (closes != 0) {
    proof.set(on.heap.regions, "writable", on.at.slot, proof.number(closes, 16));
  }
  const Memory& before = on.before();
  proof.assume(on.heap.is_of_bin(before, on.at.slot) && on.ghosts.is_held(on.at));
  proof.assume(on.heap.chunk(before, "held_pages", on.at) == 0);  // the purger is done with it
  const Term leaves =
      on.field(before, "free_units") == proof.number(HeapView::chunks_per_region - 1, 16) &&
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
  BinStage on(proof, any_class);
  const Memory& before = on.before();
  proof.set(on.heap.regions, "writable", on.at.slot, proof.number(writable, 16));
  proof.assume(on.field(before, "cls") == 0 && on.heap.bin(before, "empty_regions") == 0);
  // Books of an unused slot: nobody holds a chunk, and what was never writable was never written.
  proof.assume(!on.ghosts.is_held(on.at) && !(on.same_region() && on.ghosts.is_held(on.any)));
  proof.assume(z3::implies(on.same_region() && !on.right.is_writable(before, on.any),
                           on.heap.chunk(before, "dirty_pages", on.any) == 0 &&
                               on.heap.chunk(before, "held_pages", on.any) == 0 &&
                               on.heap.chunk(before, "free_items", on.any) == 0));
  on.call("region_open", false, [&](const End& end) {
    const Memory& after = end.memory;
    Ghosts now = on.ghosts;
    now.empty_region = on.at;
    on.claim_books(after, now);
    proof.claim("every chunk is free",
                z3::implies(on.same_region(), on.right.is_free(after, on.any)));
    proof.claim(
        "a chunk that dirt reached is dirty, others are clean",
        z3::implies(on.same_region() && on.right.is_writable(before, on.any),
                    on.heap.chunk(after, "dirty_pages", on.any) ==
                        z3::ite(z3::ult(on.any.chunk, z3::zext(on.field(before, "dirty"), 48)),
                                proof.number(0xFFFF, 16), proof.number(0, 16))));
  });
}

}  // namespace

std::vector<Obligation> chunk_obligations() {
  std::vector<Obligation> all = {
      {"a chunk is held", hold},
      {"a chunk is released, its region stays", [](Proof& proof) { release(proof, 0); }},
  };
  for (const std::uint64_t writable : {1U, 16U}) {
    const std::string prefix = " with " + std::to_string(writable) + " writable chunks";
    all.push_back({"a region opens" + prefix, [=](Proof& proof) { opens(proof, writable); }});
    all.push_back({"a region closes" + prefix, [=](Proof& proof) { release(proof, writable); }});
  }
  return all;
}

}  // namespace strata::prove
