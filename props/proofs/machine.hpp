// Runs compiled code over symbols.
//
// The production source is compiled to LLVM's intermediate code (subject/), and the machine runs
// that, one path at a time: an integer is a term of the solver, a branch on a term that can go both
// ways is followed both ways, and what a path took for granted is its condition. Undefined
// behaviour (clang's own checks for it), a failing assertion and an access outside an object end a
// path in a trap.
#pragma once

#include <llvm-c/Core.h>

#include <memory>
#include <set>

#include "props/proofs/map_contract.hpp"
#include "props/proofs/mutation.hpp"

namespace strata::prove {

// How a path ended.
struct End {
  Term condition;
  Memory memory;
  Value result;
  std::string trap;  // empty: it returned
  std::vector<Fact> facts = {};
};

class Machine {
 public:
  Machine(z3::context& context, const std::string& bitcode_file);

  z3::context& context() { return context_; }

  int new_object() { return next_object_++; }

  // Bin maps, which the code under proof knows by contract.
  void add_maps(const MapShape& shape) { maps_.insert_or_assign(shape.words.object, shape); }

  // Every fact that a call finds of the map counts at this index at once.
  void look_at(const Witness& witness) { witnesses_.push_back(witness); }

  // Every end of a call of the function, from this memory, where `assumptions` hold.
  std::vector<End> call(const std::string& function, const std::vector<Value>& arguments,
                        const Memory& memory, const std::vector<Term>& assumptions);

  // The mutations of the instructions that calls ran through so far, in the order of first use.
  const std::vector<Mutation>& mutations() const { return mutations_; }
  // The kinds of instructions that calls ran through so far.
  const std::set<std::string>& kinds() const { return kinds_; }
  void plant(const Mutation* mutation) { planted_ = mutation; }

 private:
  friend class Run;

  struct DisposeModule {
    void operator()(LLVMModuleRef module) const { LLVMDisposeModule(module); }
  };
  struct DisposeContext {
    void operator()(LLVMContextRef context) const { LLVMContextDispose(context); }
  };

  int object_of_global(LLVMValueRef global);
  // An instruction is run: what could be planted in it?
  void note(LLVMValueRef instruction);

  z3::context& context_;
  std::unique_ptr<LLVMOpaqueContext, DisposeContext> llvm_;
  std::unique_ptr<LLVMOpaqueModule, DisposeModule> module_;
  int next_object_ = null_object + 1;
  std::map<LLVMValueRef, int> globals_;  // constants of the code: their objects
  std::map<int, MapShape> maps_;         // by the object of their words
  std::vector<Witness> witnesses_;
  const Mutation* planted_ = nullptr;
  std::vector<Mutation> mutations_;
  std::set<LLVMValueRef> seen_;
  std::set<std::string> kinds_;
};

}  // namespace strata::prove
