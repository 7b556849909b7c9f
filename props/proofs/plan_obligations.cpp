// The plan, at its real size: all 64-bit inputs, both class policies.

#include <algorithm>
#include <iterator>

#include "props/proofs/plan_view.hpp"

namespace strata::prove {
namespace {

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

const Statement plan_statements[] = {
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
};

template <class P>
std::vector<Obligation> obligations() {
  std::vector<Statement> statements(std::begin(plan_statements), std::end(plan_statements));
  std::ranges::copy(book_statements(), std::back_inserter(statements));
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
std::vector<Obligation> quarter_obligations() { return obligations<plan::Malloc>(); }

}  // namespace strata::prove
