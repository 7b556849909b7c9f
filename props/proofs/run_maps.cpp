// Calls of the bin map's contract: subject/contract_map.hpp declares what has no body.

#include "props/proofs/run.hpp"

namespace strata::prove {

Term Run::found_index(Path& path) {
  return context_.bv_const(("found." + std::to_string(path.found++)).c_str(), 32);
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

void Run::write_bit(Memory& memory, const MapTerms& map, const Term& index, bool value) {
  const Term was = map.is_member(memory, index);
  const Term change = z3::ite(was == context_.bool_val(value), number(0, 32), number(1, 32));
  const Term size = map.size(memory);
  memory.set(map.shape().sizes, "size", map.number(), value ? size + change : size - change);
  memory.set(map.shape().members, "bit", map.place(index), number(value ? 1 : 0, 1));
}

// The extreme member, or none: any number of which that is true. At every other index more is
// known of it, for the proof to ask.
Term Run::find(Path& path, const MapTerms& map, const Extreme& extreme) {
  const Term found = found_index(path);
  path.example.reset();  // of a path on which nothing was found yet
  const Memory memory = path.memory;
  path.conditions.push_back(extreme.is_such(found, map.is_member(memory, found)));
  path.conditions.push_back(z3::implies(map.size(memory) == 0, found == no_index_of(context_)));
  const bool any = extreme.lowest && (extreme.bound == 0).simplify().is_true();
  if (any) {
    path.conditions.push_back(z3::implies(found == no_index_of(context_), map.size(memory) == 0));
  }
  path.facts.push_back({map.shape().words.object, map.number(), [=](const Term& index) {
                          return extreme.is_extreme(found, index, map.is_member(memory, index));
                        }});
  return found;
}

void Run::call_map(Path& path, LLVMValueRef instruction, const std::string& operation) {
  const auto operand = [&](unsigned i) { return value(path, LLVMGetOperand(instruction, i)); };
  const MapTerms map = map_at(operand(0));
  Memory& memory = path.memory;
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
    const Term was = map.is_member(memory, index);
    if (operation != "test") {
      write_bit(memory, map, index, operation == "put");
    }
    bit(operation == "put" ? !was : was);
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
                          number((count + 63) / 64 * 64, 64), [bit](const Term&) { return bit; });
  path.memory.set(map.shape().sizes, "size", map.number(), number(fill ? count : 0, 32));
}

}  // namespace strata::prove
