// Transitions of items in one bin, from any state whose books are right. Address, slot, chunk and
// item are any of the whole space.

#include <bit>

#include "props/proofs/bin_stage.hpp"

namespace strata::prove {
namespace {

// strata::Problem, as the numbers that the entry points return.
constexpr int unused_region = 2;
constexpr int interior_pointer = 3;
constexpr int double_free = 4;

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
  const auto says = [&](int what) { return problem == what; };
  on.proof().claim("a used item, and only that, is in order", says(0) == (at_start && used));
  on.proof().claim("not the first byte of an item: an interior pointer",
                   says(interior_pointer) == !at_start);
  on.proof().claim("beyond the writable prefix: not in use",
                   says(unused_region) == (at_start && !on.writable()));
  on.proof().claim("free already: a double free",
                   says(double_free) == (at_start && on.writable() && !used));
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

}  // namespace

std::vector<Obligation> item_obligations() {
  std::vector<Obligation> all;
  const auto add = [&all](const Subject& subject, bool with_put) {
    const std::string of = ", items of " + std::to_string(subject.cls.unit_bytes) + " bytes";
    all.push_back(
        {"an address is classified" + of, [=](Proof& proof) { classification(proof, subject); }});
    if (with_put) {
      all.push_back(
          {"an item is put, its region stays" + of, [=](Proof& proof) { put(proof, subject); }});
    }
  };
  for (std::uint32_t cls = 1; cls <= plan::Pow2::item_classes; ++cls) {
    add({"pow2", BinClass::items_of<plan::Pow2>(cls)}, cls == 1 || cls == 7 || cls == 12);
  }
  for (const std::uint32_t cls : {3U, 13U, 29U}) {  // units that are no power of two
    add({"quarter", BinClass::items_of<plan::Quarter>(cls)}, false);
  }
  return all;
}

}  // namespace strata::prove
