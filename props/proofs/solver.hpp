// The solver, set up for what the proofs are made of: bit-vectors, and functions of them.
#pragma once

#include <z3++.h>

namespace strata::prove {

inline z3::solver make_solver(z3::context& context, unsigned limit_ms) {
  // Functions become numbers, one for each argument, however many pairs of arguments there are: the
  // default is to give up at 1000, and to go on with a solver that is ten times slower.
  z3::params all(context);
  all.set("div0_ackermann_limit", 1'000'000U);
  z3::solver solver =
      (z3::tactic(context, "simplify") & z3::tactic(context, "propagate-values") &
       z3::tactic(context, "solve-eqs") & z3::with(z3::tactic(context, "ackermannize_bv"), all) &
       z3::tactic(context, "qfbv"))
          .mk_solver();
  z3::params limits(context);
  limits.set("timeout", limit_ms);
  solver.set(limits);
  return solver;
}

// For many small questions one after the other, which share what is assumed.
inline z3::solver make_quick_solver(z3::context& context, unsigned limit_ms) {
  z3::solver solver(context, z3::solver::simple());
  z3::params limits(context);
  limits.set("timeout", limit_ms);
  solver.set(limits);
  return solver;
}

}  // namespace strata::prove
