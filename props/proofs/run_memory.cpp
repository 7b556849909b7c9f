#include <algorithm>
#include <bit>

#include "props/proofs/bit_terms.hpp"
#include "props/proofs/run.hpp"

namespace strata::prove {

// A product with a power of two is written as the shift that it is: which field an offset names
// must be seen without solving anything.
Term Run::times(const Term& index, std::uint64_t bytes) {
  if (!std::has_single_bit(bytes) || bytes == 1) {
    return index * number(bytes, 64);
  }
  const auto shift = static_cast<unsigned>(std::countr_zero(bytes));
  return z3::concat(index.extract(63 - shift, 0), number(0, shift));
}

Value Run::element_pointer(Path& path, LLVMValueRef instruction) {
  const Value base = value(path, LLVMGetOperand(instruction, 0));
  Term offset = base.term;
  LLVMTypeRef type = LLVMGetGEPSourceElementType(instruction);
  for (int i = 1; i < LLVMGetNumOperands(instruction); ++i) {
    const Term index = value(path, LLVMGetOperand(instruction, static_cast<unsigned>(i))).term;
    std::uint64_t constant = 0;
    if (i > 1 && LLVMGetTypeKind(type) == LLVMStructTypeKind) {
      if (!index.is_numeral_u64(constant)) {
        throw Unsupported("a member of a struct by a number that is not known");
      }
      offset = sum(offset,
                   number(LLVMOffsetOfElement(layout_, type, static_cast<unsigned>(constant)), 64));
      type = LLVMStructGetTypeAtIndex(type, static_cast<unsigned>(constant));
      continue;
    }
    type = i > 1 ? LLVMGetElementType(type) : type;
    const unsigned bits = index.get_sort().bv_size();
    offset = sum(offset, times(z3::sext(index, 64 - bits), bytes_of(type)));
  }
  if (has(instruction, Change::next_element)) {
    offset = offset + number(bytes_of(type), 64);
  }
  return {offset.simplify(), base.object};
}

bool Run::inside(Path& path, const Value& pointer, unsigned bytes) {
  if (pointer.object == null_object || !pointer.is_pointer()) {
    end(path, {number(0, 1), no_object}, "an access through a null pointer");
    return false;
  }
  if (path.memory.is_local(pointer.object)) {
    return true;  // what a local has no cell for cannot be loaded
  }
  const Term last = pointer.term + number(bytes - 1, 64);
  if (!decide(path, path.memory.inside(pointer.object, last))) {
    end(path, {number(0, 1), no_object},
        "an access outside " + path.memory.shape(pointer.object).name + " at " +
            place_of(path.frame().at));
    return false;
  }
  return true;
}

Value Run::load(Path& path, LLVMValueRef instruction) {
  Value pointer = value(path, LLVMGetOperand(instruction, 0));
  LLVMTypeRef type = LLVMTypeOf(instruction);
  const unsigned bits = bits_of(type);
  if (!inside(path, pointer, bits / 8)) {
    return pointer;
  }
  if (!path.memory.is_local(pointer.object)) {
    return {path.memory.load(pointer.object, pointer.term, bits), no_object};
  }
  std::uint64_t offset = 0;
  if (pointer.term.is_numeral_u64(offset)) {
    return path.memory.load_local(pointer.object, offset, bits);
  }
  return {path.memory.look_up(pointer.object, pointer.term, bits), no_object};
}

void Run::store(Path& path, LLVMValueRef pointer_operand, const Value& stored, unsigned bits) {
  const Value pointer = value(path, pointer_operand);
  if (!inside(path, pointer, bits / 8)) {
    return;
  }
  std::uint64_t offset = 0;
  if (!path.memory.is_local(pointer.object)) {
    path.memory.store(pointer.object, pointer.term, stored.term);
  } else if (pointer.term.is_numeral_u64(offset)) {
    path.memory.store_local(pointer.object, offset, stored, bits);
  } else {
    throw Unsupported("a store to a variable's element that is not known");
  }
}

void Run::set_bytes(Path& path, LLVMValueRef instruction) {
  const Value pointer = value(path, LLVMGetOperand(instruction, 0));
  const Term byte = value(path, LLVMGetOperand(instruction, 1)).term;
  std::uint64_t count = 0;
  if (!value(path, LLVMGetOperand(instruction, 2)).term.is_numeral_u64(count)) {
    throw Unsupported("a fill of a length that is not known");
  }
  if (count == 0 || !inside(path, pointer, static_cast<unsigned>(count))) {
    return;
  }
  Term word = byte;
  for (unsigned i = 1; i < 8; ++i) {
    word = z3::concat(byte, word);
  }
  for (std::uint64_t done = 0; done < count;) {
    const auto bits = static_cast<unsigned>(8 * std::min<std::uint64_t>(8, count - done));
    const Term part = word.extract(bits - 1, 0).simplify();
    const Term at = (pointer.term + number(done, 64)).simplify();
    std::uint64_t offset = 0;
    if (!path.memory.is_local(pointer.object)) {
      path.memory.store(pointer.object, at, part);
    } else if (at.is_numeral_u64(offset)) {
      path.memory.store_local(pointer.object, offset, {part, no_object}, bits);
    } else {
      throw Unsupported("a fill of a variable's element that is not known");
    }
    done += bits / 8;
  }
}

void Run::copy_bytes(Path& path, LLVMValueRef instruction) {
  const Value to = value(path, LLVMGetOperand(instruction, 0));
  const Value from = value(path, LLVMGetOperand(instruction, 1));
  std::uint64_t count = 0;
  std::uint64_t to_offset = 0;
  std::uint64_t from_offset = 0;
  if (!value(path, LLVMGetOperand(instruction, 2)).term.is_numeral_u64(count) ||
      !to.term.is_numeral_u64(to_offset) || !from.term.is_numeral_u64(from_offset)) {
    throw Unsupported("a copy of a length or place that is not known");
  }
  path.memory.copy_local(to.object, to_offset, from.object, from_offset, count);
}

}  // namespace strata::prove
