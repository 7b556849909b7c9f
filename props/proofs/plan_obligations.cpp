// The plan, at its real size: all 64-bit inputs, both class policies.

#include "plan/plan.hpp"
#include "props/proofs/proof.hpp"

namespace strata::prove {
namespace {

// One plan, as the proofs see it: its numbers, and calls of its functions.
class Plan {
 public:
  template <class P>
  static Plan of(Proof& proof) {
    return {proof, P::item_classes, P::last_block, P::class_limit};
  }

  Plan(Proof& proof, std::uint32_t items, std::uint32_t last, std::uint32_t limit)
      : item_classes(items), last_block(last), class_limit(limit), proof_(proof) {}

  Term call(const std::string& function, const std::vector<Term>& arguments) {
    Proof::Arguments all;
    for (const Term& each : arguments) {
      all.push_back({each});
    }
    return proof_.value(function, all);
  }
  bool holds(const std::string& function, std::uint32_t cls) {
    return call(function, {proof_.number(cls, 32)}).get_numeral_uint64() != 0;
  }
  std::uint64_t constant(const std::string& function, std::uint32_t cls) {
    return call(function, {proof_.number(cls, 32)}).get_numeral_uint64();
  }

  // A number of few bits, as a word.
  Term narrow(const std::string& name, unsigned bits) {
    return z3::zext(proof_.input(name, bits), 64 - bits);
  }
  Term size(const std::string& name = "size") { return proof_.u64(name); }
  Term item_class(const std::string& name = "cls") {
    const Term cls = proof_.u32(name);
    proof_.assume(z3::uge(cls, 1) && z3::ule(cls, proof_.number(item_classes, 32)));
    return cls;
  }
  Term bin(const std::string& name = "bin") {
    const Term made = proof_.u32(name);
    proof_.assume(z3::uge(made, 1) && z3::ule(made, proof_.number(last_block, 32)));
    return made;
  }

  Proof& proof() { return proof_; }
  Term number(std::uint64_t value, unsigned bits = 64) { return proof_.number(value, bits); }
  Term run() { return number(last_block + 1, 32); }

  const std::uint32_t item_classes, last_block, class_limit;

 private:
  Proof& proof_;
};

constexpr std::uint64_t segment_bytes = plan::Standard::segment_bytes;
constexpr std::uint64_t chunk_bytes = plan::Standard::chunk_bytes;
constexpr std::uint32_t slots = 8192;
constexpr std::uint32_t chunks = plan::Standard::chunks_per_region;

Term power_of_two(const Term& value) {
  const Term zero = value.ctx().bv_val(0, value.get_sort().bv_size());
  return value != zero && (value & (value - 1)) == zero;
}

// --- Sizes --------------------------------------------------------------------------------------

void fits(Plan& plan) {
  const Term size = plan.size();
  plan.proof().assume(z3::ule(size, segment_bytes));
  const Term bin = plan.call("plan_bin_for", {size});
  plan.proof().claim("its bin exists", z3::uge(bin, 1) && z3::ult(bin, plan.run()));
  plan.proof().claim("a unit of its bin holds it",
                     z3::uge(plan.call("plan_unit_bytes", {bin}), size));
}

void fit_is_minimal(Plan& plan) {
  const Term size = plan.size();
  const Term smaller = plan.bin("smaller");
  plan.proof().assume(z3::ule(size, segment_bytes));
  plan.proof().assume(z3::ult(smaller, plan.call("plan_bin_for", {size})));
  plan.proof().claim("no smaller bin's unit holds it",
                     z3::ult(plan.call("plan_unit_bytes", {smaller}), size));
}

void classes_are_monotone(Plan& plan) {
  const Term a = plan.size("a");
  const Term b = plan.size("b");
  plan.proof().assume(z3::ule(a, b));
  plan.proof().claim("a larger size has no smaller bin",
                     z3::ule(plan.call("plan_bin_for", {a}), plan.call("plan_bin_for", {b})));
}

void units_are_monotone(Plan& plan) {
  const Term a = plan.bin("a");
  const Term b = plan.bin("b");
  plan.proof().assume(z3::ult(a, b));
  plan.proof().claim("a larger bin has larger units",
                     z3::ult(plan.call("plan_unit_bytes", {a}), plan.call("plan_unit_bytes", {b})));
}

void hit_path_agrees(Plan& plan) {
  const Term size = plan.size();
  const Term cls = plan.call("plan_class_of_size", {size});
  const Term bin = z3::zext(plan.call("plan_bin_for", {size}), 32);
  plan.proof().claim("sizes with a bin have its number",
                     z3::implies(size != 0 && z3::ule(size, segment_bytes), cls == bin));
  plan.proof().claim("0 and sizes over the largest block have a magazine that is always empty",
                     z3::implies(size == 0 || z3::ugt(size, segment_bytes),
                                 z3::ugt(cls, plan.number(plan.last_block)) &&
                                     z3::ult(cls, plan.number(plan.class_limit))));
}

void magazine_is_the_class(Plan& plan) {
  const Term size = plan.size();
  const Term magazine = plan.call("plan_magazine_of_size", {size});
  const Term is_item = size != 0 && z3::ule(size, plan.number(plan::Standard::item_bytes_max));
  plan.proof().claim("of a size of items it is the class",
                     z3::implies(is_item, magazine == plan.call("plan_class_of_size", {size})));
  plan.proof().claim("others have a magazine that is always empty",
                     is_item || (z3::ugt(magazine, plan.number(plan.item_classes)) &&
                                 z3::ult(magazine, plan.number(plan.class_limit))));
}

void over_the_largest_block_is_a_run(Plan& plan) {
  const Term size = plan.size();
  plan.proof().claim("exactly these are runs", (plan.call("plan_bin_for", {size}) == plan.run()) ==
                                                   z3::ugt(size, segment_bytes));
}

void table_is_the_formula(Plan& plan) {
  const Term cls = plan.item_class();
  plan.proof().claim(
      "the table of item sizes is item_bytes",
      plan.call("plan_unit_bytes", {cls}) == plan.call("plan_item_bytes", {z3::zext(cls, 32)}));
}

// --- Alignment ----------------------------------------------------------------------------------

void alignment_divides(Plan& plan) {
  const Term bin = plan.bin();
  const Term unit = plan.call("plan_unit_bytes", {bin});
  const Term align = plan.call("plan_unit_align", {bin});
  plan.proof().claim("it is a power of two of 16 at least",
                     power_of_two(align) && z3::uge(align, 16));
  plan.proof().claim("it divides the unit", (unit & (align - 1)) == 0);
  plan.proof().claim("it is the largest that does", (unit & (align + align - 1)) != 0);
}

void aligned_request_is_aligned(Plan& plan) {
  const Term size = plan.size();
  const Term align = plan.size("align");
  plan.proof().assume(power_of_two(align) && z3::ule(align, segment_bytes));
  const Term request = plan.call("plan_aligned_size", {size, align});
  const Term bin = plan.call("plan_bin_for", {request});
  plan.proof().claim("its bin's units are aligned so",
                     request == 0 || bin == plan.run() ||
                         (plan.call("plan_unit_align", {bin}) & (align - 1)) == 0);
}

void aligned_request_is_large_enough(Plan& plan) {
  const Term size = plan.size();
  const Term align = plan.size("align");
  plan.proof().assume(power_of_two(align));
  const Term request = plan.call("plan_aligned_size", {size, align});
  plan.proof().claim("it is refused exactly if it is too large",
                     (request == 0) == (z3::ugt(align, segment_bytes) ||
                                        z3::ugt(size, plan.number(std::uint64_t{1} << 62))));
  plan.proof().claim("it holds size and alignment",
                     request == 0 || (z3::uge(request, size) && z3::uge(request, align)));
  plan.proof().claim("it is larger by less than the alignment",
                     request == 0 || size == 0 || z3::ult(request - size, align));
}

// --- Items --------------------------------------------------------------------------------------

// Class by class: with a known size, multiplication and division are of a constant.
void for_each_item_class(Plan& plan, const std::function<void(std::uint32_t, const Term&)>& claim) {
  for (std::uint32_t cls = 1; cls <= plan.item_classes; ++cls) {
    claim(cls, plan.number(plan.constant("plan_unit_bytes", cls)));
  }
}

// Every byte of a chunk is so many units and a rest: a form that multiplication distributes over.
void index_is_division(Plan& plan) {
  const Term quotient = plan.narrow("quotient", 12);
  const Term rest = plan.narrow("rest", 15);
  for_each_item_class(plan, [&](std::uint32_t cls, const Term& unit) {
    const Term byte = quotient * unit + rest;
    plan.proof().claim(
        "every byte of an item leads back to it: class " + std::to_string(cls),
        z3::implies(z3::ult(rest, unit) && z3::ult(byte, chunk_bytes),
                    plan.call("plan_item_index", {plan.number(cls), byte}) == quotient));
  });
}

void chunk_is_used_up(Plan& plan) {
  for_each_item_class(plan, [&](std::uint32_t cls, const Term& unit) {
    const Term items = z3::zext(plan.call("plan_items_per_chunk", {plan.number(cls, 32)}), 32);
    plan.proof().claim(
        "the items of a chunk fit in it, and one more does not: class " + std::to_string(cls),
        z3::ule(items * unit, chunk_bytes) && z3::ugt((items + 1) * unit, chunk_bytes) &&
            z3::ule(items, 4096));
  });
}

// An item by where it lies, and its address: of 38 bits.
struct Item {
  Term slot, chunk, item;  // 13, 9 and 12 bits

  static Item any(Plan& plan, const std::string& suffix) {
    return {plan.proof().input("slot" + suffix, 13), plan.proof().input("chunk" + suffix, 9),
            plan.proof().input("item" + suffix, 12)};
  }
  Term place() const { return z3::concat(z3::concat(slot, chunk), item); }
  Term address(const Term& unit) const {
    const Term chunk_start = z3::concat(z3::concat(slot, chunk), slot.ctx().bv_val(0, 16));
    return chunk_start + z3::zext(item, 26) * unit.extract(37, 0);
  }
  Term exists(Plan& plan, std::uint32_t cls) const {
    return z3::ult(z3::zext(item, 20), plan.number(plan.constant("plan_items_per_chunk", cls), 32));
  }
};

void address_round_trip(Plan& plan) {
  const Term slot = plan.narrow("slot", 13);
  const Term chunk = plan.narrow("chunk", 9);
  const Term byte = plan.narrow("byte", 16);
  const Term address = z3::shl(slot, 25) + z3::shl(chunk, 16) + byte;
  plan.proof().claim("every byte of a chunk leads back to it",
                     plan.call("plan_slot_of", {address}) == slot &&
                         plan.call("plan_chunk_in_region", {address}) == chunk &&
                         plan.call("plan_byte_in_chunk", {address}) == byte);
}

void items_are_disjoint(Plan& plan) {
  const Item a = Item::any(plan, "");
  const Item b = Item::any(plan, " of a later one");
  plan.proof().assume(z3::ult(a.place(), b.place()));
  for_each_item_class(plan, [&](std::uint32_t cls, const Term& unit) {
    plan.proof().claim(
        "class " + std::to_string(cls),
        z3::implies(a.exists(plan, cls) && b.exists(plan, cls),
                    z3::ule(a.address(unit) + unit.extract(37, 0), b.address(unit))));
  });
}

// What a put looks at: is this byte of a chunk the start of an item of it?
void interior_is_recognised(Plan& plan) {
  const Term item = plan.narrow("item", 12);
  const Term inside = plan.narrow("inside", 15);
  const Term remainder = plan.narrow("byte", 16);
  for_each_item_class(plan, [&](std::uint32_t cls, const Term& unit) {
    const Term count = plan.number(plan.constant("plan_items_per_chunk", cls));
    const auto passes = [&](const Term& byte) {
      const Term found = plan.call("plan_item_index", {plan.number(cls), byte});
      return z3::ult(found, count) && found * unit == byte;
    };
    plan.proof().claim("of an item's bytes only the first: class " + std::to_string(cls),
                       z3::implies(z3::ult(item, count) && z3::ult(inside, unit),
                                   passes(item * unit + inside) == (inside == 0)));
    plan.proof().claim("of a chunk's remainder none: class " + std::to_string(cls),
                       z3::implies(z3::uge(remainder, count * unit), !passes(remainder)));
  });
}

void items_are_aligned(Plan& plan) {
  const Item at = Item::any(plan, "");
  for_each_item_class(plan, [&](std::uint32_t cls, const Term& unit) {
    const Term align = plan.number(plan.constant("plan_unit_align", cls));
    plan.proof().claim(
        "class " + std::to_string(cls),
        z3::implies(at.exists(plan, cls), (at.address(unit) & (align - 1).extract(37, 0)) == 0));
  });
}

// --- Blocks, class bytes, runs
// --------------------------------------------------------------------

void blocks_fill_their_region(Plan& plan) {
  const Term cls = plan.proof().u32("cls");
  const Term is_small = plan.call("plan_is_small", {cls}) == plan.number(1, 1);
  const Term is_block = plan.call("plan_is_block", {cls}) == plan.number(1, 1);
  plan.proof().assume(is_small || is_block);
  const Term bin = plan.call("plan_bin_of", {cls});
  const Term blocks = z3::zext(plan.call("plan_blocks_per_region", {cls}), 32);
  const Term region =
      z3::ite(is_small, plan.number(plan::Standard::region_bytes), plan.number(segment_bytes));
  plan.proof().claim(
      "no byte is left over",
      z3::ule(blocks, 16384) && blocks * plan.call("plan_unit_bytes", {bin}) == region);
}

// Of a block by its number in its region: where it starts, and back.
void block_round_trip(Plan& plan) {
  const Term bin = plan.bin();
  plan.proof().assume(plan.call("plan_is_block", {bin}) == plan.number(1, 1));
  const Term segment = plan.proof().u64("segment");
  const Term block = plan.proof().u64("block");
  const Term inside = plan.proof().u64("inside");
  const Term shift = z3::zext(plan.call("plan_block_shift", {bin}), 32);
  plan.proof().assume(z3::ult(segment, 256) && z3::ult(inside, z3::shl(plan.number(1), shift)));
  plan.proof().assume(z3::ult(block, z3::zext(plan.call("plan_blocks_per_region", {bin}), 32)));
  const Term address = z3::shl(segment, 30) + z3::shl(block, shift) + inside;
  plan.proof().claim("the unit is two to the shift",
                     plan.call("plan_unit_bytes", {bin}) == z3::shl(plan.number(1), shift));
  plan.proof().claim("every byte of a block leads back to it",
                     plan.call("plan_segment_of", {address}) == segment &&
                         z3::lshr(address & plan.number(segment_bytes - 1), shift) == block);
}

void class_bytes_are_distinct(Plan& plan) {
  const Term cls = plan.proof().u32("cls");
  Term kinds = z3::zext(z3::ite(cls == 0, plan.number(1, 1), plan.number(0, 1)), 31);
  for (const char* kind : {"plan_is_item", "plan_is_block", "plan_is_run", "plan_is_small"}) {
    kinds = kinds + z3::zext(plan.call(kind, {cls}), 31);
  }
  const std::uint32_t last_small = plan.last_block + 1 + plan::Pow2::small_classes;
  plan.proof().claim("each byte means one thing", z3::ule(kinds, 1));
  plan.proof().claim("every byte up to the last means something",
                     (kinds == 1) == z3::ule(cls, plan.number(last_small, 32)));
}

void small_blocks_share_a_bin(Plan& plan) {
  const Term cls = plan.proof().u32("cls");
  plan.proof().assume(plan.call("plan_is_small", {cls}) == plan.number(1, 1));
  const Term bin = plan.call("plan_bin_of", {cls});
  plan.proof().claim("its bin is one of blocks",
                     plan.call("plan_is_block", {bin}) == plan.number(1, 1));
  plan.proof().claim("there and back", plan.call("plan_small_of", {bin}) == cls);
  plan.proof().claim("a block fits in a slot",
                     z3::ule(plan.call("plan_unit_bytes", {bin}), plan::Standard::region_bytes));
}

void runs_cover(Plan& plan) {
  const Term units = plan.proof().u64("units");
  plan.proof().assume(units != 0 && z3::ule(units, std::uint64_t{32768} * 16384));
  const Term count = z3::zext(plan.call("run_slots_of", {units}), 32);
  const Term is_large = z3::ugt(units, plan::Standard::chunks_per_segment);
  const Term step = z3::ite(is_large, plan.number(32), plan.number(1));
  plan.proof().claim("the slots hold the units", z3::uge(count * plan.number(chunks), units));
  plan.proof().claim("fewer do not", z3::ult((count - step) * plan.number(chunks), units));
  plan.proof().claim("over a segment they are whole segments",
                     z3::implies(is_large, z3::urem(count, plan.number(32)) == 0));
}

// --- Books --------------------------------------------------------------------------------------

constexpr std::uint32_t areas = 11;

void areas_are_apart(Plan& plan) {
  const Term segments = plan.proof().u32("segments");
  plan.proof().assume(segments != 0 && z3::ule(segments, plan::Pow2::segments_max));
  const auto at = [&](std::uint32_t area) {
    return plan.call("layout_offset", {segments, plan.number(area, 32)});
  };
  for (std::uint32_t area = 0; area < areas; ++area) {
    const Term bytes = plan.call("layout_bytes", {segments, plan.number(area, 32)});
    plan.proof().claim("area " + std::to_string(area) + " ends before the next begins",
                       z3::ule(at(area) + bytes, at(area + 1)) && z3::ule(at(area), at(area + 1)));
  }
  plan.proof().claim("the space is whole pages", (at(areas) & 4095) == 0);
}

void areas_are_aligned(Plan& plan) {
  const Term segments = plan.proof().u32("segments");
  plan.proof().assume(segments != 0 && z3::ule(segments, plan::Pow2::segments_max));
  for (std::uint32_t area = 0; area <= areas; ++area) {
    const std::uint64_t align = area < 6 ? 8 : 4096;  // the control page's parts, then pages
    const Term at = plan.call("layout_offset", {segments, plan.number(area, 32)});
    plan.proof().claim("area " + std::to_string(area), (at & plan.number(align - 1)) == 0);
  }
}

// The addresses that the books' accessors give, as offsets into the three spaces.
class Accessors {
 public:
  explicit Accessors(Plan& plan) : plan_(plan) {
    for (const char* name : {"control", "books", "item_map"}) {
      spaces_.push_back(plan.proof().records({name, 1, std::uint64_t{1} << 40, {{"byte", 0, 8}}}));
    }
  }

  Term slot(const std::string& name) { return below(name, slots); }
  Term chunk(const std::string& name) { return below(name, chunks); }
  Term below(const std::string& name, std::uint32_t end) {
    const Term made = plan_.proof().u32(name);
    plan_.proof().assume(z3::ult(made, plan_.number(end, 32)));
    return made;
  }

  // The offset, in the space that it must be in.
  Term at(const std::string& function, int space, const std::vector<Term>& arguments) {
    Proof::Arguments all = spaces_;
    for (const Term& each : arguments) {
      all.push_back({each});
    }
    Term offset(plan_.proof().number(0));
    plan_.proof().after(function, all, [&](const End& end) {
      plan_.proof().claim(function + " points into its space",
                          plan_.proof().truth(end.result.object ==
                                              spaces_[static_cast<std::size_t>(space)].object));
      offset = z3::ite(end.condition, end.result.term, offset);
    });
    return offset.simplify();
  }

 private:
  Plan& plan_;
  std::vector<Value> spaces_;
};

Term apart(const Term& a, std::uint64_t a_bytes, const Term& b, std::uint64_t b_bytes) {
  return z3::ule(a + a.ctx().bv_val(a_bytes, 64), b) || z3::ule(b + b.ctx().bv_val(b_bytes, 64), a);
}

void chunk_records_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  const Term chunk = books.chunk("chunk");
  const Term other_slot = books.slot("other slot");
  const Term other_chunk = books.chunk("other chunk");
  const Term a = books.at("books_chunk", 1, {slot, chunk});
  const Term b = books.at("books_chunk", 1, {other_slot, other_chunk});
  plan.proof().claim("two records share no byte",
                     (slot == other_slot && chunk == other_chunk) || apart(a, 32, b, 32));
  plan.proof().claim("inside the slot's book",
                     z3::lshr(a, 15) == z3::zext(slot, 32) && z3::ule(a & 0x7FFF, 0x4000 - 32));
}

// Two sets of so many words and summary words: 512 chunks, or 16384 blocks.
void sets_are_apart(Plan& plan, const char* one, const char* other, std::uint64_t words,
                    std::uint64_t summary_words) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  std::vector<std::pair<Term, std::uint64_t>> parts;
  for (const char* set : {one, other}) {
    parts.emplace_back(books.at(set, 1, {slot, plan.number(0, 1)}), 8 * words);
    parts.emplace_back(books.at(set, 1, {slot, plan.number(1, 1)}), 8 * summary_words);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [at, bytes] = parts[i];
    plan.proof().claim("part " + std::to_string(i) + " is in the second half of the slot's book",
                       z3::lshr(at, 15) == z3::zext(slot, 32) && z3::uge(at & 0x7FFF, 0x4000) &&
                           z3::ule((at & 0x7FFF) + plan.number(bytes), 0x8000));
    for (std::size_t k = 0; k < i; ++k) {
      plan.proof().claim("two parts share no byte",
                         apart(parts[k].first, parts[k].second, at, bytes));
    }
  }
}

void chunk_sets_are_apart(Plan& plan) {
  sets_are_apart(plan, "books_free_chunks", "books_partial_chunks", 8, 1);
}
void block_sets_are_apart(Plan& plan) {
  sets_are_apart(plan, "books_free_blocks", "books_dirty_blocks", 256, 4);
}

void item_maps_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  const Term chunk = books.chunk("chunk");
  const Term other_slot = books.slot("other slot");
  const Term other_chunk = books.chunk("other chunk");
  const Term a = books.at("books_items", 2, {slot, chunk});
  const Term b = books.at("books_items", 2, {other_slot, other_chunk});
  plan.proof().claim("two chunks' maps share no byte",
                     (slot == other_slot && chunk == other_chunk) || apart(a, 512, b, 512));
  plan.proof().claim("inside the space", z3::ule(a, (std::uint64_t{2} << 30) - 512));
  plan.proof().claim("a map's summary is the first word of its chunk's record",
                     books.at("books_items_summary", 1, {slot, chunk}) ==
                         books.at("books_chunk", 1, {slot, chunk}));
}

void region_records_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  const Term other = books.slot("other slot");
  const Term a = books.at("books_region", 0, {slot});
  const Term b = books.at("books_region", 0, {other});
  const Term segments = plan.number(256, 32);
  const Term begin = plan.call("layout_offset", {segments, plan.number(9, 32)});
  plan.proof().claim("two records share no byte", slot == other || apart(a, 32, b, 32));
  plan.proof().claim("inside the area of regions",
                     z3::uge(a, begin) && z3::ule(a + 32, begin + plan.number(32ULL * slots)));
}

void bin_sets_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term bin = books.below("bin", plan.last_block + 1);
  const Term other = books.below("other bin", plan.last_block + 1);
  const Term yes = plan.number(1, 1);
  const Term no = plan.number(0, 1);
  const Term words = books.at("books_bin_set", 0, {bin, no});
  const Term summary = books.at("books_bin_set", 0, {bin, yes});
  const Term other_words = books.at("books_bin_set", 0, {other, no});
  const Term other_summary = books.at("books_bin_set", 0, {other, yes});
  const Term segments = plan.number(256, 32);
  const Term begin = plan.call("layout_offset", {segments, plan.number(10, 32)});
  const Term end = plan.call("layout_offset", {segments, plan.number(areas, 32)});
  plan.proof().claim("a set and its summary share no byte", apart(words, 1024, summary, 16));
  plan.proof().claim("two bins' sets share no byte",
                     bin == other || (apart(words, 1024, other_words, 1024) &&
                                      apart(words, 1024, other_summary, 16) &&
                                      apart(summary, 16, other_summary, 16)));
  plan.proof().claim("inside the area of sets", z3::uge(words, begin) && z3::uge(summary, begin) &&
                                                    z3::ule(words + 1024, end) &&
                                                    z3::ule(summary + 16, end));
}

using Statement = std::pair<const char*, void (*)(Plan&)>;

const Statement statements[] = {
    {"a request's bin fits", fits},
    {"no smaller bin fits", fit_is_minimal},
    {"bins are monotone in the size", classes_are_monotone},
    {"units are monotone in the bin", units_are_monotone},
    {"the class is the bin", hit_path_agrees},
    {"the hit path's magazine is the class", magazine_is_the_class},
    {"what is over the largest block is a run", over_the_largest_block_is_a_run},
    {"the table of sizes is the formula", table_is_the_formula},
    {"a unit's alignment divides it", alignment_divides},
    {"an aligned request's units are aligned", aligned_request_is_aligned},
    {"an aligned request is large enough", aligned_request_is_large_enough},
    {"an item's index is a division", index_is_division},
    {"a chunk is used up", chunk_is_used_up},
    {"address to chunk and back", address_round_trip},
    {"items are disjoint", items_are_disjoint},
    {"interior pointers are recognised", interior_is_recognised},
    {"items are aligned by nature", items_are_aligned},
    {"blocks fill their region", blocks_fill_their_region},
    {"address to block and back", block_round_trip},
    {"class bytes are distinct", class_bytes_are_distinct},
    {"small blocks share a bin", small_blocks_share_a_bin},
    {"runs cover their units", runs_cover},
    {"areas of the control space are apart", areas_are_apart},
    {"areas of the control space are aligned", areas_are_aligned},
    {"records of chunks are apart", chunk_records_are_apart},
    {"sets of chunks are apart", chunk_sets_are_apart},
    {"sets of blocks are apart", block_sets_are_apart},
    {"item maps are apart", item_maps_are_apart},
    {"records of regions are apart", region_records_are_apart},
    {"sets of bins are apart", bin_sets_are_apart},
};

template <class P>
std::vector<Obligation> obligations() {
  std::vector<Obligation> all;
  for (const auto& [name, state] : statements) {
    all.push_back({name, [state = state](Proof& proof) {
                     Plan plan = Plan::of<P>(proof);
                     state(plan);
                   }});
  }
  return all;
}

}  // namespace

std::vector<Obligation> pow2_obligations() { return obligations<plan::Pow2>(); }
std::vector<Obligation> quarter_obligations() { return obligations<plan::Quarter>(); }

}  // namespace strata::prove
