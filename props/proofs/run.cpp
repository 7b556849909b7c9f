#include "props/proofs/run.hpp"

#include "props/proofs/bit_terms.hpp"
#include "props/proofs/solver.hpp"

namespace strata::prove {
namespace {

// No proof comes near; a planted bug may loop for ever.
constexpr std::uint64_t steps_max = 100'000;
constexpr std::size_t ends_max = 400;
// What is not known to be impossible is followed.
constexpr unsigned possible_limit_ms = 2'000;

Term is_one(const Term& bit) { return bit == bit.ctx().bv_val(1, 1); }

}  // namespace

Run::Run(Machine& machine, const std::vector<Term>& assumptions)
    : machine_(machine),
      context_(machine.context_),
      layout_(LLVMGetModuleDataLayout(machine.module_.get())),
      solver_(make_solver(context_, possible_limit_ms)) {
  for (const Term& assumption : assumptions) {
    solver_.add(assumption);
  }
}

std::vector<End> Run::all(LLVMValueRef function, const std::vector<Value>& arguments,
                          const Memory& memory) {
  Path first{{}, {}, memory, {}};
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
  ends_.push_back({condition, path.memory, result, trap});
  path.ended = true;
  if (ends_.size() > ends_max) {
    throw Unsupported("more than " + std::to_string(ends_max) + " paths");
  }
}

bool Run::possible(const Path& path, const Term& condition) {
  solver_.push();
  for (const Term& each : path.conditions) {
    solver_.add(each);
  }
  solver_.add(condition);
  const z3::check_result result = solver_.check();
  solver_.pop();
  return result != z3::unsat;
}

bool Run::decide(Path& path, const Term& asked) {
  const Term condition = asked.simplify();
  if (condition.is_true() || condition.is_false()) {
    return condition.is_true();
  }
  if (const auto known = path.decided.find(condition.id()); known != path.decided.end()) {
    return known->second;
  }
  const bool can_hold = possible(path, condition);
  if (can_hold && possible(path, !condition)) {
    Path other = path;
    other.conditions.push_back(!condition);

    other.decided[condition.id()] = false;
    work_.push_back(std::move(other));
  }
  path.conditions.push_back(can_hold ? condition : !condition);
  path.decided[condition.id()] = can_hold;
  return can_hold;
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
  unsigned way = 0;
  if (LLVMIsConditional(instruction) != 0) {
    way = decide(path, is_one(value(path, LLVMGetCondition(instruction)).term)) ? 0 : 1;
  }
  go(path, LLVMGetSuccessor(instruction, way));
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

void Run::intrinsic(Path& path, LLVMValueRef instruction, std::string_view name) {
  const auto is = [&](std::string_view prefix) { return name.starts_with(prefix); };
  const auto operand = [&](unsigned i) { return value(path, LLVMGetOperand(instruction, i)); };
  const auto result = [&](const Term& term) {
    path.frame().values.insert_or_assign(instruction, Value{term.simplify(), no_object});
  };
  if (is("llvm.ctlz")) {
    result(leading_zeros(operand(0).term));
  } else if (is("llvm.cttz")) {
    result(trailing_zeros(operand(0).term));
  } else if (is("llvm.ctpop")) {
    result(ones(operand(0).term));
  } else if (is("llvm.umin") || is("llvm.umax")) {
    const Term a = operand(0).term;
    const Term b = operand(1).term;
    result(is("llvm.umin") ? z3::ite(z3::ult(a, b), a, b) : z3::ite(z3::ult(a, b), b, a));
  } else if (is("llvm.usub.sat")) {
    const Term a = operand(0).term;
    const Term b = operand(1).term;
    result(z3::ite(z3::ult(a, b), number(0, a.get_sort().bv_size()), a - b));
  } else if (is("llvm.fshl")) {
    const Term a = operand(0).term;
    const unsigned bits = a.get_sort().bv_size();
    const Term by = z3::urem(operand(2).term, number(bits, bits));
    result(z3::shl(z3::concat(a, operand(1).term), z3::zext(by, bits)).extract(2 * bits - 1, bits));
  } else if (is("llvm.memset")) {
    set_bytes(path, instruction);
  } else if (is("llvm.memcpy")) {
    copy_bytes(path, instruction);
  } else if (is("llvm.ubsantrap") || is("llvm.trap")) {
    end(path, anything(LLVMInt1TypeInContext(machine_.llvm_.get())),
        "undefined behaviour at " + place_of(instruction));
  } else if (!is("llvm.lifetime.") && !is("llvm.assume") && !is("llvm.dbg.") &&
             !is("llvm.experimental.noalias.scope.decl")) {
    throw Unsupported("a call of " + std::string(name) + " at " + place_of(instruction));
  }
}

}  // namespace strata::prove
