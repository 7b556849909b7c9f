#include "props/proofs/bit_terms.hpp"
#include "props/proofs/run.hpp"

namespace strata::prove {

unsigned Run::bits_of(LLVMTypeRef type) {
  switch (LLVMGetTypeKind(type)) {
    case LLVMIntegerTypeKind:
      return LLVMGetIntTypeWidth(type);
    case LLVMPointerTypeKind:
      return 64;
    default:
      throw Unsupported("a value that is neither an integer nor a pointer");
  }
}

std::uint64_t Run::bytes_of(LLVMTypeRef type) { return LLVMABISizeOfType(layout_, type); }

bool Run::has(LLVMValueRef instruction, Change change) const {
  const Mutation* planted = machine_.planted_;
  return planted != nullptr && planted->instruction == instruction && planted->change == change;
}

// --- Operands -----------------------------------------------------------------------------------

Value Run::value(Path& path, LLVMValueRef operand) {
  const auto found = path.frame().values.find(operand);
  if (found != path.frame().values.end()) {
    return found->second;
  }
  if (LLVMIsConstant(operand) == 0) {
    throw Unsupported("an operand that has no value yet");
  }
  return constant(path, operand);
}

Value Run::constant(Path& path, LLVMValueRef constant) {
  LLVMTypeRef type = LLVMTypeOf(constant);
  if (LLVMIsAConstantInt(constant) != nullptr) {
    return {number(LLVMConstIntGetZExtValue(constant), bits_of(type)), no_object};
  }
  if (LLVMIsAUndefValue(constant) != nullptr) {  // poison, too
    return anything(type);
  }
  if (LLVMIsNull(constant) != 0) {
    return zero(type);
  }
  if (LLVMIsAGlobalVariable(constant) != nullptr) {
    return global(path, constant);
  }
  if (LLVMIsAConstantExpr(constant) != nullptr &&
      LLVMGetConstOpcode(constant) == LLVMGetElementPtr) {
    return element_pointer(path, constant);
  }
  if (LLVMIsAConstantStruct(constant) != nullptr) {
    Value whole{Term(context_), no_object};
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); ++i) {
      whole.parts.push_back(this->constant(path, LLVMGetAggregateElement(constant, i)));
    }
    return whole;
  }
  throw Unsupported("a constant of a kind that the machine does not know");
}

Value Run::anything(LLVMTypeRef type) {
  Value made{Term(context_), no_object};
  if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); ++i) {
      made.parts.push_back(anything(LLVMStructGetTypeAtIndex(type, i)));
    }
    return made;
  }
  made.term =
      Term(context_, Z3_mk_fresh_const(context_, "undefined", context_.bv_sort(bits_of(type))));
  made.object = LLVMGetTypeKind(type) == LLVMPointerTypeKind ? null_object : no_object;
  return made;
}

Value Run::zero(LLVMTypeRef type) {
  Value made{Term(context_), no_object};
  if (LLVMGetTypeKind(type) == LLVMStructTypeKind) {
    for (unsigned i = 0; i < LLVMCountStructElementTypes(type); ++i) {
      made.parts.push_back(zero(LLVMStructGetTypeAtIndex(type, i)));
    }
    return made;
  }
  made.term = number(0, bits_of(type));
  made.object = LLVMGetTypeKind(type) == LLVMPointerTypeKind ? null_object : no_object;
  return made;
}

Value Run::global(Path& path, LLVMValueRef global) {
  const int object = machine_.object_of_global(global);
  if (!path.memory.is_local(object)) {
    if (LLVMIsGlobalConstant(global) == 0 || LLVMGetInitializer(global) == nullptr) {
      throw Unsupported("a global variable");
    }
    path.memory.add_local(object);
    fill_global(path.memory, object, 0, LLVMGetInitializer(global));
  }
  return {number(0, 64), object};
}

void Run::fill_global(Memory& memory, int object, std::uint64_t offset, LLVMValueRef constant) {
  LLVMTypeRef type = LLVMTypeOf(constant);
  switch (LLVMGetTypeKind(type)) {
    case LLVMArrayTypeKind: {
      const std::uint64_t step = bytes_of(LLVMGetElementType(type));
      for (unsigned i = 0; i < LLVMGetArrayLength2(type); ++i) {
        fill_global(memory, object, offset + i * step, LLVMGetAggregateElement(constant, i));
      }
      return;
    }
    case LLVMStructTypeKind:
      for (unsigned i = 0; i < LLVMCountStructElementTypes(type); ++i) {
        fill_global(memory, object, offset + LLVMOffsetOfElement(layout_, type, i),
                    LLVMGetAggregateElement(constant, i));
      }
      return;
    default:
      if (LLVMIsAConstantInt(constant) == nullptr) {
        throw Unsupported("a constant table of other things than integers");
      }
      memory.store_local(object, offset,
                         {number(LLVMConstIntGetZExtValue(constant), bits_of(type)), no_object},
                         bits_of(type));
  }
}

// --- Instructions that compute ------------------------------------------------------------------

Value Run::compute(Path& path, LLVMValueRef instruction) {
  const LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
  LLVMTypeRef type = LLVMTypeOf(instruction);
  const auto operand = [&](unsigned i) { return value(path, LLVMGetOperand(instruction, i)); };
  const auto integer = [](const Term& term) { return Value{term.simplify(), no_object}; };
  if (LLVMIsABinaryOperator(instruction) != nullptr) {
    const Term a = operand(0).term;
    if (operand(0).object != operand(1).object) {
      throw Unsupported("arithmetic on an address");
    }
    const Term one = number(has(instruction, Change::next_constant) ? 1 : 0, bits_of(type));
    return integer(
        binary(has(instruction, Change::other_operation) ? other_operation(opcode) : opcode, a,
               operand(1).term + one));
  }
  switch (opcode) {
    case LLVMICmp: {
      Value right = operand(1);
      if (has(instruction, Change::next_constant)) {
        right.term = right.term + number(1, bits_of(LLVMTypeOf(LLVMGetOperand(instruction, 1))));
      }
      const Term holds = compare(LLVMGetICmpPredicate(instruction), operand(0), right);
      return integer(
          z3::ite(has(instruction, Change::negated) ? !holds : holds, number(1, 1), number(0, 1)));
    }
    case LLVMSelect:
      return has(instruction, Change::swapped_arms)
                 ? choose(path, operand(0), operand(2), operand(1))
                 : choose(path, operand(0), operand(1), operand(2));
    case LLVMZExt: {
      const Term narrow = operand(0).term;
      return integer(z3::zext(narrow, bits_of(type) - narrow.get_sort().bv_size()));
    }
    case LLVMSExt: {
      const Term narrow = operand(0).term;
      return integer(z3::sext(narrow, bits_of(type) - narrow.get_sort().bv_size()));
    }
    case LLVMTrunc:
      return integer(operand(0).term.extract(bits_of(type) - 1, 0));
    case LLVMFreeze:
    case LLVMPtrToInt:  // the object stays known: only differences within one are taken
      return operand(0);
    case LLVMGetElementPtr:
      return element_pointer(path, instruction);
    case LLVMLoad: {
      const Value loaded = load(path, instruction);
      return has(instruction, Change::next_value) ? integer(loaded.term + number(1, bits_of(type)))
                                                  : loaded;
    }
    case LLVMAlloca: {
      const int object = machine_.new_object();
      path.memory.add_local(object);
      return {number(0, 64), object};
    }
    case LLVMExtractValue: {
      const Value whole = operand(0);
      return whole.parts.at(*LLVMGetIndices(instruction));
    }
    case LLVMInsertValue: {
      Value whole = operand(0);
      whole.parts.at(*LLVMGetIndices(instruction)) = operand(1);
      return whole;
    }
    default: {
      const std::string where = place_of(instruction);
      throw Unsupported("instruction " + std::to_string(opcode) + " at " + where);
    }
  }
}

Term Run::binary(LLVMOpcode opcode, const Term& a, const Term& b) {
  switch (opcode) {
    case LLVMAdd:
      return sum(a, b);
    case LLVMSub:
      return a - b;
    case LLVMMul:
      return a * b;
    case LLVMAnd:
      return a & b;
    case LLVMOr:
      return a | b;
    case LLVMXor:
      return a ^ b;
    case LLVMShl:
      return z3::shl(a, b);
    case LLVMLShr:
      return z3::lshr(a, b);
    case LLVMAShr:
      return z3::ashr(a, b);
    case LLVMUDiv:
      return z3::udiv(a, b);
    case LLVMURem:
      return z3::urem(a, b);
    default:
      throw Unsupported("a binary operation that the machine does not know");
  }
}

Term Run::compare(LLVMIntPredicate predicate, const Value& a, const Value& b) {
  if (a.is_pointer() && a.object != b.object) {
    if (predicate != LLVMIntEQ && predicate != LLVMIntNE) {
      throw Unsupported("an order of pointers into different objects");
    }
    return context_.bool_val(predicate == LLVMIntNE);
  }
  switch (predicate) {
    case LLVMIntEQ:
      return a.term == b.term;
    case LLVMIntNE:
      return a.term != b.term;
    case LLVMIntUGT:
      return z3::ugt(a.term, b.term);
    case LLVMIntUGE:
      return z3::uge(a.term, b.term);
    case LLVMIntULT:
      return z3::ult(a.term, b.term);
    case LLVMIntULE:
      return z3::ule(a.term, b.term);
    case LLVMIntSGT:
      return a.term > b.term;
    case LLVMIntSGE:
      return a.term >= b.term;
    case LLVMIntSLT:
      return a.term < b.term;
    case LLVMIntSLE:
      return a.term <= b.term;
  }
  throw Unsupported("a comparison that the machine does not know");
}

// Pointers into different objects cannot be one term: the path decides.
Value Run::choose(Path& path, const Value& condition, const Value& yes, const Value& no) {
  const Term holds = condition.term == number(1, 1);
  if (yes.object != no.object || !yes.parts.empty()) {
    return decide(path, holds) ? yes : no;
  }
  return {z3::ite(holds, yes.term, no.term).simplify(), yes.object};
}

}  // namespace strata::prove
