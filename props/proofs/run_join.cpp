// Two arms of an if become one path again.

#include "props/proofs/run.hpp"

namespace strata::prove {
namespace {

bool is_intrinsic(LLVMValueRef call) {
  std::size_t length = 0;
  const char* name = LLVMGetValueName2(LLVMGetCalledValue(call), &length);
  return std::string_view(name, length).starts_with("llvm.");
}

// Whether a block does nothing but compute, read and write, and then goes on to `next`.
bool only_computes(LLVMBasicBlockRef block, LLVMBasicBlockRef next) {
  for (LLVMValueRef at = LLVMGetFirstInstruction(block); at != nullptr;
       at = LLVMGetNextInstruction(at)) {
    const LLVMOpcode opcode = LLVMGetInstructionOpcode(at);
    if (opcode == LLVMPHI || opcode == LLVMAlloca || (opcode == LLVMCall && !is_intrinsic(at))) {
      return false;
    }
  }
  LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
  return LLVMGetInstructionOpcode(end) == LLVMBr && LLVMIsConditional(end) == 0 &&
         LLVMGetSuccessor(end, 0) == next;
}

LLVMBasicBlockRef after(LLVMBasicBlockRef block) {
  LLVMValueRef end = LLVMGetBasicBlockTerminator(block);
  const bool goes_on = LLVMGetInstructionOpcode(end) == LLVMBr && LLVMIsConditional(end) == 0;
  return goes_on ? LLVMGetSuccessor(end, 0) : nullptr;
}

}  // namespace

bool Run::run_arm(Path& arm, LLVMBasicBlockRef block, LLVMBasicBlockRef meeting) {
  const std::size_t ends = ends_.size();
  in_arm_ = true;
  bool arrived = true;
  try {
    go(arm, block);
    while (!arm.ended && arm.frame().block != meeting) {
      step(arm);
    }
  } catch (const NoJoin&) {
    arrived = false;
  }
  in_arm_ = false;
  if (ends_.size() > ends) {
    ends_.resize(ends, ends_.front());
    arrived = false;
  }
  return arrived;
}

bool Run::join(Path& path, LLVMValueRef instruction, const Term& condition) {
  LLVMBasicBlockRef yes_block = LLVMGetSuccessor(instruction, 0);
  LLVMBasicBlockRef no_block = LLVMGetSuccessor(instruction, 1);
  LLVMBasicBlockRef meeting = after(yes_block) == no_block   ? no_block
                              : after(no_block) == yes_block ? yes_block
                                                             : after(yes_block);
  if (meeting == nullptr || meeting == path.frame().block ||
      (yes_block != meeting && !only_computes(yes_block, meeting)) ||
      (no_block != meeting && !only_computes(no_block, meeting))) {
    return false;
  }
  Path yes = path;
  yes.conditions.push_back(condition);
  yes.decided[condition.id()] = true;
  Path no = path;
  no.example = other_example_;
  no.conditions.push_back(!condition);
  no.decided[condition.id()] = false;
  if (!run_arm(yes, yes_block, meeting) || !run_arm(no, no_block, meeting)) {
    return false;
  }
  std::map<LLVMValueRef, Value> phis;
  for (LLVMValueRef at = LLVMGetFirstInstruction(meeting); LLVMIsAPHINode(at) != nullptr;
       at = LLVMGetNextInstruction(at)) {
    const Value& a = yes.frame().values.at(at);
    const Value& b = no.frame().values.at(at);
    if (a.object != b.object || !a.parts.empty()) {
      return false;
    }
    phis.insert_or_assign(at, Value{z3::ite(condition, a.term, b.term).simplify(), a.object});
  }
  Memory merged = yes.memory;
  if (!merged.merge(condition, no.memory, path.memory)) {
    return false;
  }
  path.memory = std::move(merged);
  for (auto& [phi, joined] : phis) {
    path.frame().values.insert_or_assign(phi, joined);
  }
  path.frame().block = meeting;
  path.frame().at = no.frame().at;
  return true;
}

}  // namespace strata::prove
