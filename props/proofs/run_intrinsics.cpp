// What LLVM's own functions mean.

#include "props/proofs/bit_terms.hpp"
#include "props/proofs/run.hpp"

namespace strata::prove {

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
