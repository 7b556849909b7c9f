// Transitions of chunks and items in one bin of Pow2, from any state that meets the invariants that
// are assumed. The slot, the chunk and the item are any of the whole space.

#include "plan/plan.hpp"
#include "props/proofs/proof.hpp"

namespace strata::prove {
namespace {

using P = plan::Pow2;

constexpr std::uint64_t slots = 8192;
constexpr std::uint64_t chunks = slots * P::chunks_per_region;

// strata::Problem, as the numbers that the entry points return.
constexpr int none = 0;
constexpr int unused_region = 2;
constexpr int interior_pointer = 3;
constexpr int double_free = 4;
constexpr int chunks_per_region = P::chunks_per_region;

// A place in the heap: slot, chunk, item as words, and where their bits stand.
struct Place {
  Term slot, chunk, item;

  Term chunk_index() const { return z3::shl(slot, 9) + chunk; }
};

// The books of one bin, as objects.
class Bin {
 public:
  Bin(Proof& proof, std::uint32_t cls)
      : proof_(proof),
        cls_(cls),
        regions_(proof.records({"region",
                                32,
                                slots,
                                {{"next", 0, 32},
                                 {"run_units", 4, 32},
                                 {"free_units", 8, 16},
                                 {"partial_chunks", 10, 16},
                                 {"writable", 12, 16},
                                 {"span_writable", 14, 16},
                                 {"dirty", 16, 16},
                                 {"cls", 18, 8},
                                 {"books_ready", 19, 8},
                                 {"purged_block", 20, 32}}})),
        chunks_(proof.records({"chunk",
                               32,
                               chunks,
                               {{"summary", 0, 64},
                                {"free_items", 8, 16},
                                {"dirty_pages", 10, 16},
                                {"held_pages", 12, 16}}})),
        bin_(proof.records({"bin",
                            16,
                            1,
                            {{"head", 0, 32},
                             {"regions", 4, 32},
                             {"empty_chunks", 8, 8},
                             {"empty_regions", 9, 8}}})) {
    const auto words = [&](const char* name, std::uint64_t count) {
      return proof.records({name, 8, count, {{"word", 0, 64}}});
    };
    sets_ = {words("free summary", slots),     words("free words", slots * 8),
             words("partial summary", slots),  words("partial words", slots * 8),
             words("item words", chunks * 64), words("list summary", 2),
             words("list words", 128)};
  }

  Proof::Arguments arguments(const std::vector<Term>& more) const {
    Proof::Arguments all = {regions_, chunks_, bin_};
    all.insert(all.end(), sets_.begin(), sets_.end());
    all.push_back({proof_.number(cls_, 32)});
    for (const Term& each : more) {
      all.push_back({each});
    }
    return all;
  }

  Place place(const std::string& suffix = "") const {
    return {narrow("slot" + suffix, 13), narrow("chunk" + suffix, 9), narrow("item" + suffix, 12)};
  }
  Term narrow(const std::string& name, unsigned bits) const {
    return z3::zext(proof_.input(name, bits), 64 - bits);
  }

  // --- Contents ----------------------------------------------------------------------------------
  Term region(const Memory& memory, const char* field, const Place& at) const {
    return memory.field(regions_, field, at.slot);
  }
  Term chunk(const Memory& memory, const char* field, const Place& at) const {
    return memory.field(chunks_, field, at.chunk_index());
  }
  Term count(const Memory& memory, const char* field) const {
    return memory.field(bin_, field, proof_.number(0));
  }
  Term is_free(const Memory& memory, const Place& at) const {
    return chunk_bit(memory, sets_[1], at);
  }
  Term is_partial(const Memory& memory, const Place& at) const {
    return chunk_bit(memory, sets_[3], at);
  }
  Term is_free_item(const Memory& memory, const Place& at) const {
    const Term w = z3::shl(at.chunk_index(), 6) + z3::lshr(at.item, 6);
    return bit(memory.field(sets_[4], "word", w), at.item);
  }
  Term is_in_list(const Memory& memory, const Place& at) const {
    return bit(memory.field(sets_[6], "word", z3::lshr(at.slot, 6)), at.slot);
  }

  // --- What the plan says of the class
  std::uint64_t unit() const { return P::unit_bytes(cls_); }
  Term capacity(unsigned bits = 16) const { return proof_.number(P::items_per_chunk(cls_), bits); }
  Term offset(const Place& at) const {
    return z3::shl(at.slot, 25) + z3::shl(at.chunk, 16) + at.item * proof_.number(unit());
  }
  // A page of the item is in a purger's hands.
  Term is_held(const Memory& memory, const Place& at) const {
    const Term first = z3::lshr(at.item * proof_.number(unit()), 12);
    const Term last = z3::lshr(at.item * proof_.number(unit()) + proof_.number(unit() - 1), 12);
    Term held = proof_.truth(false);
    const Term pages = chunk(memory, "held_pages", at);
    for (int page = 0; page < 16; ++page) {
      const auto at_bit = static_cast<unsigned>(page);
      held = held || (z3::ule(first, page) && z3::uge(last, page) &&
                      pages.extract(at_bit, at_bit) == proof_.number(1, 1));
    }
    return held;
  }
  Term is_used(const Memory& memory, const Place& at) const {
    return z3::ult(z3::zext(at.chunk, 0), z3::zext(region(memory, "writable", at), 48)) &&
           !is_free(memory, at) && !is_held(memory, at) && !is_free_item(memory, at);
  }

  // Nothing of this place changes: its item, its chunk, its region.
  void same(const std::string& what, const Term& where, const End& end, const Place& at) const {
    const Memory& before = proof_.memory();
    const Memory& after = end.memory;
    proof_.claim(what + ": sets",
                 z3::implies(where, is_free(after, at) == is_free(before, at) &&
                                        is_partial(after, at) == is_partial(before, at)));
    proof_.claim(what + ": counts", z3::implies(where, chunk(after, "free_items", at) ==
                                                               chunk(before, "free_items", at) &&
                                                           chunk(after, "dirty_pages", at) ==
                                                               chunk(before, "dirty_pages", at)));
    proof_.claim(what + ": items",
                 z3::implies(where, is_free_item(after, at) == is_free_item(before, at)));
  }
  // The parts of a region's record that these transitions count in.
  void same_region(const std::string& what, const Term& where, const End& end,
                   const Place& at) const {
    const Memory& before = proof_.memory();
    for (const char* field : {"free_units", "partial_chunks", "writable"}) {
      proof_.claim(what + ": " + field,
                   z3::implies(where, region(end.memory, field, at) == region(before, field, at)));
    }
    proof_.claim(what + ": list",
                 z3::implies(where, is_in_list(end.memory, at) == is_in_list(before, at)));
  }

  // --- The invariants, at a place
  void assume_right(const Place& at) const {
    const Memory& before = proof_.memory();
    const Term free_units = region(before, "free_units", at);
    const Term partial_chunks = region(before, "partial_chunks", at);
    const Term free_items = chunk(before, "free_items", at);
    proof_.assume(z3::ule(region(before, "writable", at), chunks_per_region));
    // A chunk is free, partial or full; it is partial if it is in use and has free items.
    proof_.assume(!(is_free(before, at) && is_partial(before, at)));
    proof_.assume(is_free(before, at) || is_partial(before, at) == (free_items != 0));
    // Counts count: of what has a member they are not 0, of what lacks one not the whole.
    proof_.assume(z3::implies(is_free(before, at), free_units != 0));
    proof_.assume(is_free(before, at) || z3::ult(free_units, chunks_per_region));
    proof_.assume(z3::implies(is_partial(before, at), partial_chunks != 0));
    proof_.assume(is_partial(before, at) || z3::ult(partial_chunks, chunks_per_region));
    proof_.assume(z3::ule(partial_chunks, chunks_per_region));
    proof_.assume(z3::ule(free_units, chunks_per_region));
    proof_.assume(is_free(before, at) || is_free_item(before, at) ||
                  z3::ult(free_items, capacity()));
    proof_.assume(z3::ule(free_items, capacity()));
    // The bin's list holds the regions with room; the bin keeps at most one of each empty thing.
    proof_.assume(is_in_list(before, at) == (free_units != 0 || partial_chunks != 0));
    proof_.assume(z3::ule(count(before, "empty_chunks"), 1));
    proof_.assume(z3::ule(count(before, "empty_regions"), 1));
    proof_.assume(
        z3::implies(free_units == chunks_per_region, count(before, "empty_regions") == 1));
  }

 private:
  Term bit(const Term& word, const Term& at) const {
    return z3::lshr(word, z3::zext(at.extract(5, 0), 58)).extract(0, 0) == proof_.number(1, 1);
  }
  Term chunk_bit(const Memory& memory, const Value& set, const Place& at) const {
    return bit(memory.field(set, "word", z3::shl(at.slot, 3) + z3::lshr(at.chunk, 6)), at.chunk);
  }

  Proof& proof_;
  std::uint32_t cls_;
  Value regions_, chunks_, bin_;
  std::vector<Value> sets_;
};

// --- What is wrong with an address

void classification(Proof& proof, const Bin& bin) {
  const Place at = bin.place();
  const Term inside = bin.narrow("inside", 15);
  proof.assume(z3::ult(at.item, bin.capacity(64)) && z3::ult(inside, proof.number(bin.unit())));
  proof.after("items_problem", bin.arguments({bin.offset(at) + inside}), [&](const End& end) {
    const Memory& before = proof.memory();
    const Term problem = end.result.term;
    const Term writable = z3::zext(bin.region(before, "writable", at), 48);
    proof.claim("a used item, and only that, is in order",
                (problem == none) == (inside == 0 && bin.is_used(before, at)));
    proof.claim("not the first byte of an item: an interior pointer",
                (problem == interior_pointer) == (inside != 0));
    proof.claim("beyond the writable prefix: not in use",
                (problem == unused_region) == (inside == 0 && z3::uge(at.chunk, writable)));
    proof.claim("free already: a double free",
                (problem == double_free) ==
                    (inside == 0 && z3::ult(at.chunk, writable) && !bin.is_used(before, at)));
  });
}

// --- Holding and releasing a chunk

// The region keeps a chunk that is in use: its own retirement is not covered.
void assume_region_stays(Proof& proof, const Bin& bin, const Place& at) {
  proof.assume(z3::ult(bin.region(proof.memory(), "free_units", at), chunks_per_region - 1));
}

Term same_chunk(const Place& a, const Place& b) { return a.slot == b.slot && a.chunk == b.chunk; }

void chunk_moves(Proof& proof, const Bin& bin, bool hold) {
  const Memory& before = proof.memory();
  const Place at = bin.place();
  const Place other = bin.place(" of another");
  bin.assume_right(at);
  bin.assume_right(other);
  const Term free_units = bin.region(before, "free_units", at);
  const Term partial_chunks = bin.region(before, "partial_chunks", at);
  proof.assume(bin.is_free(before, at) == proof.truth(hold));
  if (hold) {
    // The region keeps room: leaving the list is proved of the list itself.
    proof.assume(z3::ugt(free_units, 1) || partial_chunks != 0);
  } else {
    proof.assume(bin.is_in_list(before, at));
    proof.assume(!bin.is_partial(before, at));
    assume_region_stays(proof, bin, at);
  }
  const std::vector<Term> place = {at.slot.extract(31, 0), at.chunk.extract(31, 0)};
  proof.after(hold ? "chunk_hold" : "chunk_release", bin.arguments(place), [&](const End& end) {
    const Memory& after = end.memory;
    proof.claim("the chunk moves",
                bin.is_free(after, at) == proof.truth(!hold) && !bin.is_partial(after, at));
    proof.claim("it is counted",
                bin.region(after, "free_units", at) == (hold ? free_units - 1 : free_units + 1));
    proof.claim("empty regions of the bin",
                bin.count(after, "empty_regions") ==
                    bin.count(before, "empty_regions") -
                        z3::ite(proof.truth(hold) && free_units == chunks_per_region,
                                proof.number(1, 8), proof.number(0, 8)));
    proof.claim("the region has room, and is in the list", bin.is_in_list(after, at));
    bin.same("another chunk", !same_chunk(at, other), end, other);
    bin.same_region("another region", at.slot != other.slot, end, other);
  });
}

void hold(Proof& proof, const Bin& bin) { chunk_moves(proof, bin, true); }
void release(Proof& proof, const Bin& bin) { chunk_moves(proof, bin, false); }

}  // namespace

std::vector<Obligation> item_obligations() {
  std::vector<Obligation> all;
  const auto add = [&all](const char* name, auto state, std::uint32_t cls) {
    all.push_back(
        {name + std::string(", items of ") + std::to_string(P::unit_bytes(cls)) + " bytes",
         [=](Proof& proof) { state(proof, Bin(proof, cls)); }});
  };
  for (const std::uint32_t cls : {1U, 7U, 10U}) {
    add("an address is classified", classification, cls);
  }
  all.push_back({"a chunk is held", [](Proof& proof) { hold(proof, Bin(proof, 1)); }});
  all.push_back({"a chunk is released", [](Proof& proof) { release(proof, Bin(proof, 1)); }});
  return all;
}

}  // namespace strata::prove
