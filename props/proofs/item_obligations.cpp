// Transitions of items in one bin, from any state whose books are right. Address, slot, chunk and
// item are any of the whole space.

#include <bit>

#include "props/proofs/bin_stage.hpp"

namespace strata::prove {
namespace {

struct Subject {
  std::string plan;  // of the entry points' names
  BinClass cls;
};

// Written so that slot, chunk and, where units are powers of two, the item are seen in it.
Term offset_of(const BinStage& on, const Place& at, const Term& inside) {
  const std::uint64_t unit = on.heap.bin_class().unit_bytes;
  const Term start = std::has_single_bit(unit) ? z3::shl(at.item, std::countr_zero(unit)).simplify()
                                               : at.item * on.heap.number(unit);
  const Term byte = sum(start, inside).extract(15, 0).simplify();
  return sum(sum(z3::shl(at.slot, 25), z3::shl(at.chunk, 16)), z3::zext(byte, 48));
}

// What a put, and whoever asks, must say of `inside` bytes into an item.
void claim_problem(BinStage& on, const Term& problem, const Term& inside) {
  const Term used = on.right.is_used(on.before(), on.ghosts, on.at);
  const Term at_start = inside == 0;
  const auto says = [&](Problem what) { return problem == number_of(what); };
  on.proof().claim("a used item, and only that, is in order",
                   says(Problem::none) == (at_start && used));
  on.proof().claim("not the first byte of an item: an interior pointer",
                   says(Problem::interior_pointer) == !at_start);
  on.proof().claim("beyond the writable prefix: not in use",
                   says(Problem::unused_region) == (at_start && !on.writable()));
  on.proof().claim("free already: a double free",
                   says(Problem::double_free) == (at_start && on.writable() && !used));
}

// Any byte of any item; its chunk is in nobody's hands.
Term any_byte(BinStage& on) {
  const Term inside = on.heap.narrow(
      "inside", static_cast<unsigned>(std::bit_width(on.heap.bin_class().unit_bytes - 1)));
  on.proof().assume(z3::ult(on.at.item, on.heap.number(on.heap.bin_class().units)));
  on.proof().assume(z3::ult(inside, on.heap.number(on.heap.bin_class().unit_bytes)));
  on.proof().assume(on.heap.is_of_bin(on.before(), on.at.slot) && !on.ghosts.is_held(on.at));
  return inside;
}

void classification(Proof& proof, const Subject& subject) {
  BinStage on(proof, subject.cls);
  const Term inside = any_byte(on);
  proof.after(
      subject.plan + "_problem",
      on.heap.arguments({{proof.number(subject.cls.cls, 32)}, {offset_of(on, on.at, inside)}}),
      [&](const End& end) { claim_problem(on, end.result.term, inside); });
}

// --- One item is put back

Ghosts ghosts_after(const BinStage& on, const Memory& after) {
  Ghosts now = on.ghosts;
  const auto choose = [](const Term& is, const Place& yes, const Place& no) {
    return Place{z3::ite(is, yes.slot, no.slot), z3::ite(is, yes.chunk, no.chunk), no.item};
  };
  now.empty_region = choose(on.right.is_empty_region(after, on.at), on.at, now.empty_region);
  now.empty_chunk = choose(on.right.is_empty_chunk(after, on.at), on.at, now.empty_chunk);
  return now;
}

// The region stays, as it does unless its last used item is put while the bin has an empty region
// and an empty chunk.
void put(Proof& proof, const Subject& subject) {
  BinStage on(proof, subject.cls);
  const Memory& before = on.before();
  const Term inside = any_byte(on);
  const Term last =
      on.field(before, "free_units") == proof.number(HeapView::chunks_per_region - 1, 16) &&
      on.heap.bin(before, "empty_regions") == 1 && on.heap.bin(before, "empty_chunks") == 1;
  const Term good = on.right.is_used(before, on.ghosts, on.at) && inside == 0;
  const Term fills =
      on.heap.chunk(before, "free_items", on.at) == proof.number(subject.cls.units - 1, 16);
  proof.assume(!(last && good && fills));
  const Value addresses = proof.records({"addresses", 8, 1, {{"address", 0, 64}}});
  proof.set(addresses, "address", proof.number(0), on.heap.base + offset_of(on, on.at, inside));
  const Value given = proof.records({"given",
                                     32,
                                     1,
                                     {{"looked_at", 0, 32},
                                      {"bad", 4, 32},
                                      {"problem", 8, 32},
                                      {"closed_slot", 12, 32},
                                      {"closed_slots", 16, 32}}});
  on.right.assume_at(on.ghosts, {on.at, on.any, on.witness});
  proof.assume(on.heap.items(on.at).size_counts(before, Place::index(on.at.item),
                                                Place::index(on.any.item)));
  proof.after(
      subject.plan + "_put",
      on.heap.arguments(
          {{proof.number(subject.cls.cls, 32)}, addresses, {proof.number(1, 32)}, given}),
      [&](const End& end) {
        on.right.assume_where_read(end, on.ghosts, {on.at, on.any, on.witness});
      },
      [&](const End& end) {
        const Memory& after = end.memory;
        const auto came = [&](const char* field) {
          return after.field(given, field, proof.number(0));
        };
        on.claim_books(after, ghosts_after(on, after));
        proof.claim("it looks at the one address", came("looked_at") == 1);
        proof.claim("it is bad if it is not in order",
                    came("bad") == z3::ite(good, proof.number(0, 32), proof.number(1, 32)));
        claim_problem(on, came("problem"), inside);
        proof.claim("what was in use is free now",
                    z3::implies(good, on.right.is_free_item(after, on.at) ||
                                          on.right.is_free(after, on.at)));
        const Term same_item = on.same_chunk() && on.at.item == on.any.item;
        proof.claim(
            "other items stay free or used, unless all of the chunk are free",
            same_item || (on.same_chunk() && on.right.is_free(after, on.at)) ||
                on.right.is_free_item(after, on.any) == on.right.is_free_item(before, on.any));
        proof.claim(
            "a bad one changes nothing",
            good ||
                (on.right.is_free_item(after, on.any) == on.right.is_free_item(before, on.any) &&
                 on.right.is_free(after, on.any) == on.right.is_free(before, on.any) &&
                 on.right.is_partial(after, on.any) == on.right.is_partial(before, on.any)));
        proof.claim("no region leaves", came("closed_slots") == 0);
      });
}

// --- One item is taken

// What comes out of a bin whose first region with room has a chunk that is `ready`: partial; or,
// with `opens`, none of those but a free one that is writable. (Or of a bin without one: nothing.)
void take(Proof& proof, const Subject& subject, bool opens) {
  BinStage on(proof, subject.cls);
  const Memory& before = on.before();
  const Place ready = on.heap.place(" that is ready");
  const Term head = on.heap.bin(before, "head");
  const Term none = head == proof.number(0xFFFF'FFFF, 32);
  proof.assume(none || z3::zext(head, 32) == on.at.slot);
  proof.assume(ready.slot == on.at.slot);
  if (opens) {
    proof.set(on.heap.regions, "partial_chunks", on.at.slot, proof.number(0, 16));
    proof.assume(on.right.is_free(before, ready) && on.right.is_writable(before, ready));
    proof.look_at(on.heap.free_chunks(on.at.slot), Place::index(ready.chunk));
  } else {
    proof.assume(on.right.is_partial(before, ready));
    proof.look_at(on.heap.partial_chunks(on.at.slot), Place::index(ready.chunk));
  }
  const Value out = proof.records({"out", 8, 1, {{"address", 0, 64}}});
  on.right.assume_at(on.ghosts, {on.at, on.any, on.witness, ready});
  const auto offset = [&](const End& end) {
    return end.memory.field(out, "address", proof.number(0)) - on.heap.base;
  };
  proof.after(
      subject.plan + "_take",
      on.heap.arguments({{proof.number(subject.cls.cls, 32)},
                         {proof.number(8), out.object},
                         {proof.number(1, 32)}}),
      [&](const End& end) {
        // The place that the proof speaks of is that of what came out.
        proof.assume(none || (on.at.chunk == (z3::lshr(offset(end), 16) & 511) &&
                              on.at.item == z3::udiv(offset(end) & 0xFFFF,
                                                     proof.number(subject.cls.unit_bytes))));
        on.right.assume_where_read(end, on.ghosts, {on.at, on.any, on.witness, ready});
        on.right.assume_chunks_read(end, on.ghosts);
      },
      [&](const End& end) {
        const Memory& after = end.memory;
        const auto when_taken = [&](const Term& holds) { return none || holds; };
        const Term is_taken = !none;
        const auto is_free_item = [&](const Place& place) {
          return on.right.is_free_item(before, place);
        };
        on.claim_books(after, ghosts_after(on, after));
        proof.claim("one item, or none of an empty bin",
                    end.result.term == z3::ite(none, proof.number(0, 32), proof.number(1, 32)));
        proof.claim("the address is that of an item",
                    when_taken(offset(end) == offset_of(on, on.at, proof.number(0))));
        const Term was_free = on.right.is_free(before, on.at);
        proof.claim("it was free, of a chunk that was partial or is opened",
                    when_taken(on.right.is_writable(before, on.at) &&
                               (opens ? was_free : on.right.is_free_item(before, on.at))));
        proof.claim("it is in use now", when_taken(on.right.is_used(after, on.ghosts, on.at)));
        proof.claim("the lowest item of it",
                    when_taken(!on.same_chunk() || z3::uge(on.any.item, on.at.item) ||
                               (!opens && !is_free_item(on.any))));
        proof.claim("of the lowest such chunk",
                    when_taken(!on.same_region() || z3::uge(on.any.chunk, on.at.chunk) ||
                               !(opens ? on.right.is_free(before, on.any)
                                       : on.right.is_partial(before, on.any))));
        const Term exists = z3::ult(on.any.item, proof.number(subject.cls.units));
        const Term opened = is_taken && on.same_chunk() && was_free && exists;
        proof.claim("other items stay free or used, and are free in a chunk that was",
                    (on.same_chunk() && on.at.item == on.any.item) ||
                        on.right.is_free_item(after, on.any) == (is_free_item(on.any) || opened));
        proof.claim(
            "other chunks stay free, partial, full",
            on.same_chunk() ||
                (on.right.is_free(after, on.any) == on.right.is_free(before, on.any) &&
                 on.right.is_partial(after, on.any) == on.right.is_partial(before, on.any)));
        on.claim_others_stay(after);
        const Term counts = none || !was_free;
        proof.claim("a chunk that is opened counts as live, no more as dirty",
                    on.moved(after, "live_bytes") ==
                            z3::ite(counts, proof.number(0), proof.number(HeapView::chunk_bytes)) &&
                        on.moved(after, "dirty_bytes") ==
                            z3::ite(counts, proof.number(0), -on.right.dirty_bytes(before, on.at)));
      });
}

Subject pow2_items(std::uint32_t cls) { return {"pow2", BinClass::items_of<plan::Pow2>(cls)}; }
Subject quarter_items(std::uint32_t cls) {
  return {"quarter", BinClass::items_of<plan::Quarter>(cls)};
}
std::string of_bytes(const Subject& subject) {
  return ", items of " + std::to_string(subject.cls.unit_bytes) + " bytes";
}

void add_put(std::vector<Obligation>& all, const Subject& subject) {
  all.push_back({"an item is put, its region stays" + of_bytes(subject),
                 [=](Proof& proof) { put(proof, subject); }});
}

}  // namespace

std::vector<Obligation> item_obligations() {
  std::vector<Obligation> all;
  const auto classify = [&all](const Subject& subject) {
    all.push_back({"an address is classified" + of_bytes(subject),
                   [=](Proof& proof) { classification(proof, subject); }});
  };
  for (std::uint32_t cls = 1; cls <= plan::Pow2::item_classes; ++cls) {
    classify(pow2_items(cls));
  }
  for (const std::uint32_t cls : {3U, 13U, 29U}) {  // units that are no power of two
    classify(quarter_items(cls));
  }
  for (const std::uint32_t cls : {1U, 7U, 12U}) {
    add_put(all, pow2_items(cls));
  }
  return all;
}

// Those that take longer.
std::vector<Obligation> move_obligations() {
  std::vector<Obligation> all;
  for (const Subject& subject :
       {pow2_items(1), pow2_items(7), pow2_items(12), quarter_items(3), quarter_items(29)}) {
    const std::string of = of_bytes(subject);
    all.push_back({"an item is taken" + of, [=](Proof& proof) { take(proof, subject, false); }});
    all.push_back({"an item is taken, which opens a chunk" + of,
                   [=](Proof& proof) { take(proof, subject, true); }});
  }
  add_put(all, quarter_items(3));
  add_put(all, quarter_items(29));
  return all;
}

}  // namespace strata::prove
