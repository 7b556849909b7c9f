// One call: all its paths, one after the other.
#pragma once

#include <llvm-c/Target.h>

#include "props/proofs/machine.hpp"

namespace strata::prove {

class Run {
 public:
  Run(Machine& machine, const std::vector<Term>& assumptions);

  std::vector<End> all(LLVMValueRef function, const std::vector<Value>& arguments,
                       const Memory& memory);

 private:
  struct Frame {
    LLVMBasicBlockRef block = nullptr;
    LLVMValueRef at = nullptr;    // the next instruction
    LLVMValueRef call = nullptr;  // the caller's instruction, which gets the result
    std::map<LLVMValueRef, Value> values;
  };
  struct Path {
    std::vector<Term> conditions;
    std::map<unsigned, bool> decided;  // of these conditions, by the number of the term
    Memory memory;
    std::vector<Frame> frames;
    bool ended = false;

    Frame& frame() { return frames.back(); }
  };

  // --- Control (run.cpp) ------------------------------------------------------------------------
  void step(Path& path);
  // Which way the path goes. If both are possible a copy, which will run the same instruction
  // again, goes the other way: so an instruction decides before it has any effect.
  bool decide(Path& path, const Term& condition);
  bool possible(const Path& path, const Term& condition);
  void enter(Path& path, LLVMValueRef function, const std::vector<Value>& arguments,
             LLVMValueRef call);
  void go(Path& path, LLVMBasicBlockRef block);
  void branch(Path& path, LLVMValueRef instruction);
  void switch_to(Path& path, LLVMValueRef instruction);
  void give_back(Path& path, LLVMValueRef instruction);
  void end(Path& path, const Value& result, const std::string& trap);
  void call(Path& path, LLVMValueRef instruction);
  void intrinsic(Path& path, LLVMValueRef instruction, std::string_view name);

  // --- Values (run_values.cpp) ------------------------------------------------------------------
  Value value(Path& path, LLVMValueRef operand);
  Value constant(Path& path, LLVMValueRef constant);
  Value anything(LLVMTypeRef type);
  Value zero(LLVMTypeRef type);
  Value global(Path& path, LLVMValueRef global);
  void fill_global(Memory& memory, int object, std::uint64_t offset, LLVMValueRef constant);
  Value compute(Path& path, LLVMValueRef instruction);
  Term binary(LLVMOpcode opcode, const Term& a, const Term& b);
  Term times(const Term& index, std::uint64_t bytes);
  Term compare(LLVMIntPredicate predicate, const Value& a, const Value& b);
  Value choose(Path& path, const Value& condition, const Value& yes, const Value& no);
  Value element_pointer(Path& path, LLVMValueRef instruction);
  Value load(Path& path, LLVMValueRef instruction);
  void store(Path& path, LLVMValueRef pointer, const Value& stored, unsigned bits);
  void set_bytes(Path& path, LLVMValueRef instruction);
  void copy_bytes(Path& path, LLVMValueRef instruction);
  // Ends the path in a trap, and returns false, if an access lies outside its object.
  bool inside(Path& path, const Value& pointer, unsigned bytes);

  Term number(std::uint64_t value, unsigned bits) { return context_.bv_val(value, bits); }
  unsigned bits_of(LLVMTypeRef type);
  std::uint64_t bytes_of(LLVMTypeRef type);
  bool has(LLVMValueRef instruction, Change change) const;

  Machine& machine_;
  z3::context& context_;
  LLVMTargetDataRef layout_;
  z3::solver solver_;
  std::vector<Path> work_;
  std::vector<End> ends_;
  std::uint64_t steps_ = 0;
};

}  // namespace strata::prove
