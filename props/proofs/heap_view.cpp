#include "props/proofs/heap_view.hpp"

#include <bit>

namespace strata::prove {
namespace {

Shape region_shape() {
  return {"region",
          32,
          HeapView::slots,
          {{"next", 0, 32},
           {"run_units", 4, 32},
           {"free_units", 8, 16},
           {"partial_chunks", 10, 16},
           {"writable", 12, 16},
           {"span_writable", 14, 16},
           {"dirty", 16, 16},
           {"cls", 18, 8},
           {"books_ready", 19, 8},
           {"purged_block", 20, 32},
           {"pages", 24, 8}}};
}

Shape chunk_shape() {
  return {"chunk",
          32,
          HeapView::slots * HeapView::chunks_per_region,
          {{"summary", 0, 64},
           {"free_items", 8, 16},
           {"dirty_pages", 10, 16},
           {"held_pages", 12, 16},
           {"taken_at", 14, 16},
           {"searched", 16, 8},
           {"reserved byte", 17, 8},
           {"reserved two", 18, 16},
           {"reserved four", 20, 32},
           {"reserved eight", 24, 64}}};
}

Shape bin_shape() {
  return {"bin",
          16,
          1,
          {{"head", 0, 32}, {"regions", 4, 32}, {"empty_chunks", 8, 8}, {"empty_regions", 9, 8}}};
}

Shape control_shape() {
  return {"control",
          128,
          1,
          {{"first_slot", 0, 32},
           {"end_slot", 4, 32},
           {"dirty_bytes", 64, 64},
           {"live_bytes", 72, 64}}};
}

Shape unused_shape() {
  return {
      "unused", 16, 1, {{"dirty_slots", 0, 32}, {"free_slots", 4, 32}, {"segment_head", 8, 16}}};
}

Shape array_of(const std::string& name, unsigned bits, std::uint64_t count) {
  return {name, bits / 8, count, {{"value", 0, bits}}};
}

MapShape maps(Proof& proof, const std::string& name, std::uint64_t bits, std::uint64_t words_each,
              std::uint64_t count) {
  MapShape shape{bits, words_each, proof.records({name, 8, words_each * count, {{"word", 0, 64}}}),
                 proof.records({name + " members", 8, 1, {{"bit", 0, 1}}}),
                 proof.records({name + " size", 4, count, {{"size", 0, 32}}})};
  proof.add_maps(shape);
  return shape;
}

}  // namespace

HeapView::HeapView(Proof& proof, const BinClass& cls, std::uint32_t segments)
    : regions(proof.records(region_shape())),
      chunks(proof.records(chunk_shape())),
      the_bin(proof.records(bin_shape())),
      the_control(proof.records(control_shape())),
      the_unused(proof.records(unused_shape())),
      class_bytes(proof.records(array_of("class byte", 8, slots))),
      free_slots(proof.records(array_of("segment_free", 32, segments))),
      used_slots(proof.records(array_of("segment_used", 8, segments))),
      segment_links(proof.records(array_of("segment_next", 16, segments))),
      free_chunk_maps(maps(proof, "free chunks", chunks_per_region, 8, slots)),
      partial_chunk_maps(maps(proof, "partial chunks", chunks_per_region, 8, slots)),
      item_maps(maps(proof, "items", cls.items(), 64, slots * chunks_per_region)),
      list_map(maps(proof, "list", slots, 128, 1)),
      segment_map(maps(proof, "segments", segments, 4, 1)),
      free_block_maps(maps(proof, "free blocks", cls.blocks(), 256, slots)),
      dirty_block_maps(maps(proof, "dirty blocks", cls.blocks(), 256, slots)),
      base(proof.u64("base")),
      proof_(proof),
      class_(cls),
      segments_(segments) {}

Proof::Arguments HeapView::arguments(const std::vector<Value>& more) const {
  const Value summary = proof_.null();  // contracts have none
  std::vector<Value> members = {regions,     chunks,     the_bin,    the_control,  the_unused,
                                class_bytes, free_slots, used_slots, segment_links};
  members.insert(members.end(), 6, summary);
  for (const MapShape* shape : {&free_chunk_maps, &partial_chunk_maps, &item_maps, &list_map,
                                &segment_map, &free_block_maps, &dirty_block_maps}) {
    members.push_back(shape->words);
  }
  members.push_back({base});
  members.push_back({number(segments_, 32)});
  Proof::Arguments all = {proof_.variable(members)};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

Term HeapView::narrow(const std::string& name, unsigned bits) const {
  return z3::zext(proof_.input(name, bits), 64 - bits);
}

Place HeapView::place(const std::string& suffix) const {
  const auto item_bits = static_cast<unsigned>(std::bit_width(class_.items() - 1));
  return {narrow("slot" + suffix, 13), narrow("chunk" + suffix, 9),
          narrow("item" + suffix, item_bits)};
}

Term HeapView::has_room(const Memory& memory, const Term& slot) const {
  return region(memory, "free_units", slot) != 0 || region(memory, "partial_chunks", slot) != 0;
}

Term HeapView::list_in_order(const Memory& memory, const Term& slot, const Term& witness) const {
  const Term none = number(0xFFFF'FFFF);
  const auto leads = [&](const Term& link, const std::function<Term(const Term&)>& after) {
    const Term passed = in_list(memory, witness) && after(witness);
    return z3::ite(link == none, !passed,
                   in_list(memory, link) && after(link) && !(passed && z3::ult(witness, link)));
  };
  const auto wide = [](const Term& link) { return z3::zext(link, 32); };
  return leads(wide(bin(memory, "head")), [&](const Term&) { return proof_.truth(true); }) &&
         z3::implies(in_list(memory, slot),
                     leads(wide(region(memory, "next", slot)),
                           [&](const Term& at) { return z3::ugt(at, slot); }));
}

void HeapView::assume_facts(const End& end, const Place& at) const {
  for (const Fact& fact : end.facts) {
    const auto is = [&](const MapShape& shape) { return shape.words.object == fact.object; };
    const auto assume = [&](const Term& number, const Term& index) {
      proof_.assume(z3::implies(fact.number == number, fact.at(Place::index(index))));
    };
    if (is(list_map)) {
      assume(number(0), at.slot);
    } else if (is(segment_map)) {
      assume(number(0), z3::lshr(at.slot, 5));
    } else if (is(item_maps)) {
      assume(at.chunk_index(), at.item);
    } else {
      assume(at.slot, at.chunk);
    }
  }
}

void HeapView::assume_order(const End& end, const std::vector<Place>& slots) const {
  const Memory& before = proof_.memory();
  const auto link = [&](const Term& slot) {
    return Place{z3::zext(slot, 32), number(0), number(0)};
  };
  assume_facts(end, link(bin(before, "head")));
  for (const Place& at : slots) {
    assume_facts(end, link(region(before, "next", at.slot)));
    for (const Place& witness : slots) {
      proof_.assume(list_in_order(before, at.slot, witness.slot));
    }
  }
}

void claim_all(Proof& proof, const Statements& statements) {
  for (const auto& [what, holds] : statements) {
    proof.claim(what, holds);
  }
}

void assume_all(Proof& proof, const Statements& statements) {
  for (const auto& [what, holds] : statements) {
    proof.assume(holds);
  }
}

}  // namespace strata::prove
