#include "props/proofs/run.hpp"

#include "props/proofs/solver.hpp"

namespace strata::prove {
namespace {

// No proof comes near; a planted bug may loop for ever.
constexpr std::uint64_t steps_max = 100'000;
constexpr std::size_t ends_max = 400;
// What is not known to be impossible is followed.
constexpr unsigned possible_work = 5 * million;
// A path too many, in a loop without a bound, would never end: so it is worth more to know. Not of
// a planted bug, of which there are others.
constexpr unsigned thorough_work = 50 * million;

Term is_one(const Term& bit) { return bit == bit.ctx().bv_val(1, 1); }

}  // namespace

Run::Run(Machine& machine, const std::vector<Term>& assumptions)
    : machine_(machine),
      context_(machine.context_),
      layout_(LLVMGetModuleDataLayout(machine.module_.get())),
      solver_(make_quick_solver(context_, possible_work)) {
  for (const Term& assumption : assumptions) {
    solver_.add(assumption);
  }
}

std::vector<End> Run::all(LLVMValueRef function, const std::vector<Value>& arguments,
                          const Memory& memory) {
  Path first{{}, {}, {}, memory, {}};
  enter(first, function, arguments, nullptr);
  work_.push_back(std::move(first));
  while (!work_.empty()) {
    Path path = std::move(work_.back());
    work_.pop_back();
    while (!path.ended) {
      step(path);
    }
  }
  return std::move(ends_);
}

void Run::enter(Path& path, LLVMValueRef function, const std::vector<Value>& arguments,
                LLVMValueRef call) {
  Frame frame;
  for (unsigned i = 0; i < arguments.size(); ++i) {
    frame.values.emplace(LLVMGetParam(function, i), arguments[i]);
  }
  if (LLVMCountParams(function) != arguments.size()) {
    throw Unsupported("a call with another number of arguments than the function has");
  }
  frame.block = LLVMGetEntryBasicBlock(function);
  frame.at = LLVMGetFirstInstruction(frame.block);
  frame.call = call;
  path.frames.push_back(std::move(frame));
}

void Run::end(Path& path, const Value& result, const std::string& trap) {
  Term condition = context_.bool_val(true);
  for (const Term& each : path.conditions) {
    condition = condition && each;
  }
  ends_.push_back({condition, path.memory, result, trap, path.facts});
  path.ended = true;
  if (ends_.size() > ends_max) {
    throw Unsupported("more than " + std::to_string(ends_max) + " paths");
  }
}

// Paths are run depth first: most of what one assumes the next one does, too.
void Run::go_to(const std::vector<Term>& conditions) {
  std::size_t common = 0;
  while (common < scopes_.size() && common < conditions.size() &&
         z3::eq(scopes_[common], conditions[common])) {
    ++common;
  }
  solver_.pop(static_cast<unsigned>(scopes_.size() - common));
  scopes_.resize(common, context_.bool_val(true));
  for (; common < conditions.size(); ++common) {
    solver_.push();
    solver_.add(conditions[common]);
    scopes_.push_back(conditions[common]);
  }
}

Run::Possible Run::possible(const Path& path, const Term& condition) {
  if (path.example && path.example->eval(condition, true).is_true()) {
    return {true, path.example};
  }
  go_to(path.conditions);
  solver_.push();
  solver_.add(condition);
  z3::check_result result = solver_.check();
  z3::solver asked = solver_;
  if (result == z3::unknown) {
    asked = make_solver(context_, machine_.planted_ == nullptr ? thorough_work : possible_work);
    for (const Term& known : solver_.assertions()) {
      asked.add(known);
    }
    result = asked.check();
  }
  Possible found{result != z3::unsat, {}};
  if (result == z3::sat) {
    found.example = asked.get_model();
  }
  solver_.pop();
  return found;
}

Run::Ways Run::ways(Path& path, const Term& condition) {
  if (condition.is_true() || condition.is_false()) {
    return condition.is_true() ? Ways::yes : Ways::no;
  }
  if (const auto known = path.decided.find(condition.id()); known != path.decided.end()) {
    return known->second ? Ways::yes : Ways::no;
  }
  const Possible yes = possible(path, condition);
  if (!yes.holds) {
    return Ways::no;
  }
  const Possible no = possible(path, !condition);
  path.example = yes.example;
  other_example_ = no.example;
  return no.holds ? Ways::both : Ways::yes;
}

bool Run::decide(Path& path, const Term& asked) {
  const Term condition = asked.simplify();
  const Ways possible = ways(path, condition);
  if (possible == Ways::both) {
    if (in_arm_) {
      throw NoJoin{};
    }
    Path other = path;
    other.example = other_example_;
    other.conditions.push_back(!condition);
    other.decided[condition.id()] = false;
    work_.push_back(std::move(other));
  }
  const bool holds = possible != Ways::no;
  if (!condition.is_true() && !condition.is_false() && !path.decided.contains(condition.id())) {
    path.conditions.push_back(holds ? condition : !condition);
    path.decided[condition.id()] = holds;
  }
  return holds;
}

void Run::step(Path& path) {
  if (++steps_ > steps_max) {
    throw Unsupported("more than " + std::to_string(steps_max) + " steps");
  }
  LLVMValueRef instruction = path.frame().at;
  machine_.note(instruction);
  switch (LLVMGetInstructionOpcode(instruction)) {
    case LLVMBr:
      return branch(path, instruction);
    case LLVMSwitch:
      return switch_to(path, instruction);
    case LLVMRet:
      return give_back(path, instruction);
    case LLVMCall:
      return call(path, instruction);
    case LLVMUnreachable:
      return end(path, anything(LLVMInt1TypeInContext(machine_.llvm_.get())),
                 "unreachable code at " + place_of(instruction));
    case LLVMStore: {
      const Value stored = value(path, LLVMGetOperand(instruction, 0));
      if (!has(instruction, Change::dropped)) {
        store(path, LLVMGetOperand(instruction, 1), stored,
              static_cast<unsigned>(8 * bytes_of(LLVMTypeOf(LLVMGetOperand(instruction, 0)))));
      }
      break;
    }
    default: {
      const Value computed = compute(path, instruction);
      if (path.ended) {
        return;
      }
      path.frame().values.insert_or_assign(instruction, computed);
    }
  }
  if (!path.ended) {
    path.frame().at = LLVMGetNextInstruction(instruction);
  }
}

// The phis of a block take their values all at once, from the block that was left.
void Run::go(Path& path, LLVMBasicBlockRef block) {
  LLVMBasicBlockRef from = path.frame().block;
  std::vector<std::pair<LLVMValueRef, Value>> phis;
  LLVMValueRef at = LLVMGetFirstInstruction(block);
  for (; LLVMIsAPHINode(at) != nullptr; at = LLVMGetNextInstruction(at)) {
    unsigned i = 0;
    while (LLVMGetIncomingBlock(at, i) != from) {
      ++i;
    }
    phis.emplace_back(at, value(path, LLVMGetIncomingValue(at, i)));
  }
  for (const auto& [phi, taken] : phis) {
    path.frame().values.insert_or_assign(phi, taken);
  }
  path.frame().block = block;
  path.frame().at = at;
}

void Run::branch(Path& path, LLVMValueRef instruction) {
  if (LLVMIsConditional(instruction) == 0) {
    return go(path, LLVMGetSuccessor(instruction, 0));
  }
  const Term condition = is_one(value(path, LLVMGetCondition(instruction)).term).simplify();
  if (!in_arm_ && ways(path, condition) == Ways::both && join(path, instruction, condition)) {
    return;
  }
  go(path, LLVMGetSuccessor(instruction, decide(path, condition) ? 0 : 1));
}

void Run::switch_to(Path& path, LLVMValueRef instruction) {
  const Value on = value(path, LLVMGetOperand(instruction, 0));
  unsigned way = 0;  // the default
  for (unsigned i = 1; way == 0 && i < LLVMGetNumSuccessors(instruction); ++i) {
    if (decide(path, on.term == value(path, LLVMGetOperand(instruction, 2 * i)).term)) {
      way = i;
    }
  }
  go(path, LLVMGetSuccessor(instruction, way));
}

void Run::give_back(Path& path, LLVMValueRef instruction) {
  Value result{context_.bv_val(0, 1), no_object};
  if (LLVMGetNumOperands(instruction) != 0) {
    result = value(path, LLVMGetOperand(instruction, 0));
  }
  LLVMValueRef caller = path.frame().call;
  if (path.frames.size() == 1) {
    return end(path, result, "");
  }
  path.frames.pop_back();
  path.frame().values.insert_or_assign(caller, result);
  path.frame().at = LLVMGetNextInstruction(caller);
}

void Run::call(Path& path, LLVMValueRef instruction) {
  LLVMValueRef callee = LLVMGetCalledValue(instruction);
  std::size_t length = 0;
  const char* text = LLVMGetValueName2(callee, &length);
  const std::string_view name(text, length);
  if (name.starts_with("llvm.")) {
    intrinsic(path, instruction, name);
    if (!path.ended) {
      path.frame().at = LLVMGetNextInstruction(instruction);
    }
    return;
  }
  if (name.starts_with("contract_map_")) {
    call_map(path, instruction, std::string(name.substr(std::string_view("contract_map_").size())));
    if (!path.ended) {
      path.frame().at = LLVMGetNextInstruction(instruction);
    }
    return;
  }
  if (LLVMIsAFunction(callee) == nullptr || LLVMIsDeclaration(callee) != 0) {
    const Value none = anything(LLVMInt1TypeInContext(machine_.llvm_.get()));
    if (name == "__assert_fail") {
      return end(path, none, "a failing assertion at " + place_of(instruction));
    }
    throw Unsupported("a call of " + std::string(name) + " at " + place_of(instruction));
  }
  std::vector<Value> arguments;
  for (unsigned i = 0; i < LLVMGetNumArgOperands(instruction); ++i) {
    arguments.push_back(value(path, LLVMGetOperand(instruction, i)));
  }
  enter(path, callee, arguments, instruction);
}

}  // namespace strata::prove
