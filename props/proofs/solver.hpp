// The solver, set up for what the proofs are made of: bit-vectors, and functions of them.
#pragma once

#include <z3++.h>

namespace strata::prove {

inline z3::solver make_solver(z3::context& context, unsigned limit_ms) {
  z3::solver solver = (z3::tactic(context, "simplify") & z3::tactic(context, "propagate-values") &
                       z3::tactic(context, "solve-eqs") & z3::tactic(context, "ackermannize_bv") &
                       z3::tactic(context, "qfbv"))
                          .mk_solver();
  z3::params limits(context);
  limits.set("timeout", limit_ms);
  solver.set(limits);
  return solver;
}

}  // namespace strata::prove
