// Calls of the bin map's contract: subject/contract_map.hpp declares what has no body.

#include "props/proofs/bit_terms.hpp"
#include "props/proofs/run.hpp"

namespace strata::prove {

Term Run::found_term(Path& path, unsigned bits) {
  path.example.reset();  // of a path on which nothing was found yet
  // Paths count alike, and one may find a word where another finds an index: the name tells which,
  // as of one name and two widths the second solver makes nothing.
  const std::string what = bits == 64 ? "word." : "found.";
  return context_.bv_const((what + std::to_string(path.found++)).c_str(), bits);
}

// For the proof to ask at any index; here at those that it said the path may depend on.
void Run::know(Path& path, const MapTerms& map, const Fact& fact) {
  for (const Witness& witness : machine_.witnesses_) {
    if (witness.object == fact.object) {
      path.conditions.push_back(
          z3::implies(witness.number == map.number(), fact.at(witness.index)));
    }
  }
  path.facts.push_back(fact);
}

// Its own call, so that a precondition that fails names the caller's line.
bool Run::demand(Path& path, const Term& holds, const std::string& what) {
  if (decide(path, holds)) {
    return true;
  }
  end(path, {number(0, 1), no_object}, what + " at " + place_of(path.frame().at));
  return false;
}

MapTerms Run::map_at(const Value& words) {
  const auto known = machine_.maps_.find(words.object);
  if (known == machine_.maps_.end()) {
    throw Unsupported("a map that the proof has not described");
  }
  const MapShape& shape = known->second;
  const Term each = number(8 * shape.words_each, 64);
  if (!(z3::urem(words.term, each) == 0).simplify().is_true()) {
    throw Unsupported("a map that starts inside another: " + words.term.to_string());
  }
  return {shape, z3::udiv(words.term, each).simplify()};
}

void Run::write_bit(Path& path, const MapTerms& map, const Term& index, bool value) {
  Memory& memory = path.memory;
  const Term was = map.is_member(memory, index);
  const Term change = z3::ite(was == context_.bool_val(value), number(0, 32), number(1, 32));
  const Term size = map.size(memory);
  memory.set(map.shape().sizes, "size", map.number(), value ? size + change : size - change);
  memory.set(map.shape().members, "bit", map.place(index), number(value ? 1 : 0, 1));
  path.words.clear();
}

// Any 64 bits that agree with the members, wherever somebody asks.
Term Run::read_word(Path& path, const MapTerms& map, const Term& w) {
  const int object = map.shape().words.object;
  for (const KnownWord& known : path.words) {
    if (known.object == object && z3::eq(known.number, map.number()) && z3::eq(known.w, w)) {
      return known.word;
    }
  }
  const Term word = found_term(path, 64);
  const Memory memory = path.memory;
  path.conditions.push_back(map.fits(word));
  const Fact agrees{object, map.number(),
                    [=](const Term& index) { return map.agrees(memory, word, w, index); }};
  for (const Fact& known : path.facts) {
    if (known.object == object && known.found) {
      path.conditions.push_back(z3::implies(known.number == map.number(), agrees.at(*known.found)));
    }
  }
  know(path, map, agrees);
  path.words.push_back({object, map.number(), w, word});
  return word;
}

// After a read of the same word: the size is by as much another as there are bits changed.
void Run::write_word(Path& path, const MapTerms& map, const Term& w, const Term& value) {
  const Term was = read_word(path, map, w);
  Memory& memory = path.memory;
  const auto count = [](const Term& bits) { return ones(bits).extract(31, 0); };
  memory.set(map.shape().sizes, "size", map.number(),
             map.size(memory) - count(was & ~value) + count(value & ~was));
  memory.store_range(map.shape().members.object, map.place(z3::shl(w, 6)), number(64, 64),
                     [value](const Term& at) { return z3::lshr(value, at & 63).extract(0, 0); });
  path.words.clear();
}

// The extreme member, or none: any number of which that is true. At every other index more is
// known of it, for the proof to ask.
Term Run::find(Path& path, const MapTerms& map, const Extreme& extreme) {
  const Term found = found_term(path, 32);
  const Memory memory = path.memory;
  path.conditions.push_back(extreme.is_such(found, map.is_member(memory, found)));
  path.conditions.push_back(z3::implies(map.size(memory) == 0, found == no_index_of(context_)));
  const bool any = extreme.lowest && (extreme.bound == 0).simplify().is_true();
  if (any) {
    path.conditions.push_back(z3::implies(found == no_index_of(context_), map.size(memory) == 0));
  }
  know(path, map,
       {map.shape().words.object, map.number(),
        [=](const Term& index) {
          return extreme.is_extreme(found, index, map.is_member(memory, index));
        },
        found});
  return found;
}

void Run::call_map(Path& path, LLVMValueRef instruction, const std::string& operation) {
  const auto operand = [&](unsigned i) { return value(path, LLVMGetOperand(instruction, i)); };
  const MapTerms map = map_at(operand(0));
  const auto give = [&](const Term& result) {
    path.frame().values.insert_or_assign(instruction, Value{result.simplify(), no_object});
  };
  const auto bit = [&](const Term& holds) { give(z3::ite(holds, number(1, 1), number(0, 1))); };
  const std::string outside = "an index outside a map";
  if (operation == "first_from" || operation == "last_before") {
    const Extreme extreme{operation == "first_from", operand(1).term};
    give(find(path, map, extreme));
  } else if (operation == "test" || operation == "put" || operation == "take") {
    const Term index = operand(1).term;
    if (!demand(path, map.in_range(index), outside)) {
      return;
    }
    const Term was = map.is_member(path.memory, index);
    if (operation != "test") {
      write_bit(path, map, index, operation == "put");
    }
    bit(operation == "put" ? !was : was);
  } else if (operation == "first_word") {
    if (demand(path, map.size(path.memory) != 0, "the first word of an empty map")) {
      give(z3::lshr(find(path, map, {true, number(0, 32)}), 6));
    }
  } else if (operation == "word" || operation == "set_word") {
    const Term w = operand(1).term.simplify();
    if (!demand(path, map.in_range(z3::shl(w, 6)) && z3::ult(w, number(1U << 20, 32)),
                "a word outside a map")) {
      return;
    }
    if (operation == "word") {
      give(read_word(path, map, w));
    } else if (demand(path, map.fits(operand(2).term), outside)) {
      write_word(path, map, w, operand(2).term);
    }
  } else if (operation == "fill" || operation == "clear") {
    change_all(path, map, operand(1).term, operation == "fill");
  } else {
    throw Unsupported("an operation of the map that has no contract: " + operation);
  }
}

void Run::change_all(Path& path, const MapTerms& map, const Term& bits, bool fill) {
  std::uint64_t count = 0;
  if (!bits.is_numeral_u64(count) || count != map.shape().bits) {
    throw Unsupported("a change of another number of bits than the map has");
  }
  const Term bit = number(fill ? 1 : 0, 1);
  path.memory.store_range(map.shape().members.object, map.place(number(0, 32)),
                          number((count + 63) / 64 * 64, 64),
                          [bit](const Term&) { return Term(bit); });
  path.memory.set(map.shape().sizes, "size", map.number(), number(fill ? count : 0, 32));
  path.words.clear();
}

}  // namespace strata::prove
