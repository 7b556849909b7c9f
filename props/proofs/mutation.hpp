// Planted bugs: small changes of one instruction of the production code. Each proof must fail for
// one of them, or it says nothing about the code.
#pragma once

#include <llvm-c/Core.h>

#include <string>
#include <vector>

namespace strata::prove {

enum class Change {
  other_operation,
  next_constant,
  negated,
  swapped_arms,
  next_value,
  next_element,
  dropped,
};

struct Mutation {
  LLVMValueRef instruction;
  Change change;
  std::string text;  // "core/binmap/binmap.hpp:70: or becomes and"
};

// Those of an instruction that was compiled from core/; none of others.
std::vector<Mutation> mutations_of(LLVMValueRef instruction);

// What a binary operation becomes by other_operation.
LLVMOpcode other_operation(LLVMOpcode opcode);

// "add i64", "icmp ult i32", "llvm.cttz.i64": what a machine must know the meaning of.
std::string kind_of(LLVMValueRef instruction);

// "core/binmap/binmap.hpp:70", or nothing if it is not known.
std::string place_of(LLVMValueRef instruction);

}  // namespace strata::prove
