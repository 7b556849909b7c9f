#include "props/proofs/mutation.hpp"

#include <string_view>

namespace strata::prove {
namespace {

const char* name_of(LLVMOpcode opcode) {
  switch (opcode) {
    case LLVMAdd:
      return "+";
    case LLVMSub:
      return "-";
    case LLVMMul:
      return "*";
    case LLVMAnd:
      return "&";
    case LLVMOr:
      return "|";
    case LLVMXor:
      return "^";
    case LLVMShl:
      return "<<";
    case LLVMLShr:
      return ">>";
    case LLVMUDiv:
      return "/";
    case LLVMURem:
      return "%";
    default:
      return "an operation";
  }
}

}  // namespace

LLVMOpcode other_operation(LLVMOpcode opcode) {
  switch (opcode) {
    case LLVMAdd:
      return LLVMSub;
    case LLVMSub:
    case LLVMMul:
      return LLVMAdd;
    case LLVMAnd:
    case LLVMXor:
      return LLVMOr;
    case LLVMOr:
      return LLVMAnd;
    case LLVMShl:
      return LLVMLShr;
    case LLVMLShr:
      return LLVMShl;
    case LLVMUDiv:
      return LLVMURem;
    case LLVMURem:
      return LLVMUDiv;
    default:
      return opcode;
  }
}

std::string kind_of(LLVMValueRef instruction) {
  const LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
  std::string kind = "opcode " + std::to_string(opcode);
  if (opcode == LLVMCall) {
    std::size_t length = 0;
    const char* name = LLVMGetValueName2(LLVMGetCalledValue(instruction), &length);
    kind = std::string(name, length);
    return kind.starts_with("llvm.") ? kind : "call";
  }
  LLVMTypeRef type = LLVMTypeOf(instruction);
  if (opcode == LLVMICmp) {
    kind += " predicate " + std::to_string(LLVMGetICmpPredicate(instruction));
    type = LLVMTypeOf(LLVMGetOperand(instruction, 0));
  }
  if (LLVMGetTypeKind(type) == LLVMIntegerTypeKind) {
    kind += " i" + std::to_string(LLVMGetIntTypeWidth(type));
  }
  return kind;
}

std::string place_of(LLVMValueRef instruction) {
  unsigned length = 0;
  const char* file = LLVMGetDebugLocFilename(instruction, &length);
  if (file == nullptr || length == 0) {
    return "";
  }
  return std::string(file, length) + ":" + std::to_string(LLVMGetDebugLocLine(instruction));
}

std::vector<Mutation> mutations_of(LLVMValueRef instruction) {
  const std::string place = place_of(instruction);
  if (!place.starts_with("core/")) {
    return {};
  }
  std::vector<Mutation> found;
  const auto add = [&](Change change, const std::string& text) {
    found.push_back({instruction, change, place + ": " + text});
  };
  const LLVMOpcode opcode = LLVMGetInstructionOpcode(instruction);
  switch (opcode) {
    case LLVMICmp:
      add(Change::negated, "a comparison is negated");
      if (LLVMIsAConstantInt(LLVMGetOperand(instruction, 1)) != nullptr) {
        add(Change::next_constant, "the constant of a comparison is one more");
      }
      break;
    case LLVMLoad:
      if (LLVMGetTypeKind(LLVMTypeOf(instruction)) == LLVMIntegerTypeKind) {
        add(Change::next_value, "what is loaded is one more");
      }
      break;
    case LLVMGetElementPtr:
      add(Change::next_element, "an address is one element further");
      break;
    case LLVMSelect:
      add(Change::swapped_arms, "the arms of a choice are swapped");
      break;
    case LLVMStore:
      add(Change::dropped, "a store is dropped");
      break;
    default:
      if (LLVMIsABinaryOperator(instruction) != nullptr) {
        const LLVMOpcode other = other_operation(opcode);
        if (other != opcode) {
          add(Change::other_operation, std::string(name_of(opcode)) + " becomes " + name_of(other));
        }
        if (LLVMIsAConstantInt(LLVMGetOperand(instruction, 1)) != nullptr) {
          add(Change::next_constant,
              std::string("the constant after ") + name_of(opcode) + " is one more");
        }
      }
  }
  return found;
}

}  // namespace strata::prove
