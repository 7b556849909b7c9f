// One call: all its paths, one after the other.
#pragma once

#include <llvm-c/Target.h>

#include <optional>

#include "props/proofs/machine.hpp"

namespace strata::prove {

// An arm of an if turned out to be more than a computation.
struct NoJoin {};

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
  // A word of a map that was read, and the map has not changed since.
  struct KnownWord {
    int object;
    Term number, w, word;
  };
  struct Path {
    std::vector<Term> conditions;
    std::map<unsigned, bool> decided;  // of these conditions, by the number of the term
    std::optional<z3::model> example;  // in which they all hold, if one is at hand
    Memory memory;
    std::vector<Frame> frames;
    bool ended = false;
    std::vector<Fact> facts = {};
    unsigned found = 0;  // how many calls of a contract found something
    std::vector<KnownWord> words = {};

    Frame& frame() { return frames.back(); }
  };

  // --- Control (run.cpp) ------------------------------------------------------------------------
  void step(Path& path);
  // Which way the path goes. If both are possible a copy, which will run the same instruction
  // again, goes the other way: so an instruction decides before it has any effect.
  bool decide(Path& path, const Term& condition);
  enum class Ways { yes, no, both };
  Ways ways(Path& path, const Term& condition);
  // Whether the path can go on where this holds: an example of it, if so or if nobody knows.
  struct Possible {
    bool holds;
    std::optional<z3::model> example;
  };
  Possible possible(const Path& path, const Term& condition);
  void go_to(const std::vector<Term>& conditions);
  void enter(Path& path, LLVMValueRef function, const std::vector<Value>& arguments,
             LLVMValueRef call);
  void go(Path& path, LLVMBasicBlockRef block);
  void branch(Path& path, LLVMValueRef instruction);
  // An if whose arms only compute and meet again: both are run, and the path goes on as one.
  // false, and nothing has happened, if it is not of that kind.
  bool join(Path& path, LLVMValueRef instruction, const Term& condition);
  bool run_arm(Path& arm, LLVMBasicBlockRef block, LLVMBasicBlockRef meeting);
  void switch_to(Path& path, LLVMValueRef instruction);
  void give_back(Path& path, LLVMValueRef instruction);
  void end(Path& path, const Value& result, const std::string& trap);
  void call(Path& path, LLVMValueRef instruction);
  void intrinsic(Path& path, LLVMValueRef instruction, std::string_view name);

  // --- The bin map by contract (run_maps.cpp) ----------------------------------------------------
  void call_map(Path& path, LLVMValueRef instruction, const std::string& operation);
  MapTerms map_at(const Value& words);
  Term find(Path& path, const MapTerms& map, const Extreme& extreme);
  Term found_term(Path& path, unsigned bits);
  void know(Path& path, const MapTerms& map, const Fact& fact);
  void write_bit(Path& path, const MapTerms& map, const Term& index, bool value);
  void change_all(Path& path, const MapTerms& map, const Term& bits, bool fill);
  Term read_word(Path& path, const MapTerms& map, const Term& w);
  void write_word(Path& path, const MapTerms& map, const Term& w, const Term& value);
  // Ends the path in a trap, and returns false, if what a call needs does not hold.
  bool demand(Path& path, const Term& holds, const std::string& what);

  // --- Values (run_values.cpp) ------------------------------------------------------------------
  Value value(Path& path, LLVMValueRef operand);
  Value constant(Path& path, LLVMValueRef constant);
  Value anything(LLVMTypeRef type);
  Value zero(LLVMTypeRef type);
  Value global(Path& path, LLVMValueRef global);
  void fill_global(Memory& memory, int object, std::uint64_t offset, LLVMValueRef constant);
  Value compute(Path& path, LLVMValueRef instruction);
  Term binary(LLVMOpcode opcode, const Term& a, const Term& b);
  Term compare(LLVMIntPredicate predicate, const Value& a, const Value& b);
  Value choose(Path& path, const Value& condition, const Value& yes, const Value& no);

  // --- Memory (run_memory.cpp) ------------------------------------------------------------------
  Term times(const Term& index, std::uint64_t bytes);
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
  std::vector<Term> scopes_;  // what the solver assumes beyond the assumptions, one scope each
  std::optional<z3::model> other_example_;  // where the last condition does not hold
  std::vector<Path> work_;
  std::vector<End> ends_;
  std::uint64_t steps_ = 0;
  bool in_arm_ = false;  // of an if that may be joined: nothing may fork
};

}  // namespace strata::prove
