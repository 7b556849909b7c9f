// The solver, set up for what the proofs are made of: bit-vectors, and functions of them.
#pragma once

#include <z3++.h>

namespace strata::prove {

// How much a question may cost, in Z3's own count of work ("rlimit", some 2 to 3 million a second):
// a limit in seconds would let a busy machine decide what is proved.
constexpr unsigned million = 1'000'000;

inline void limit_work(z3::solver& solver, unsigned work) {
  z3::params limits(solver.ctx());
  limits.set("rlimit", work);
  solver.set(limits);
}

inline z3::solver make_solver(z3::context& context, unsigned work) {
  // Functions become numbers, one for each argument, however many pairs of arguments there are: the
  // default is to give up at 1000, and to go on with a solver that is ten times slower.
  z3::params all(context);
  all.set("div0_ackermann_limit", 1'000'000U);
  z3::solver solver =
      (z3::tactic(context, "simplify") & z3::tactic(context, "propagate-values") &
       z3::tactic(context, "solve-eqs") & z3::with(z3::tactic(context, "ackermannize_bv"), all) &
       z3::tactic(context, "qfbv"))
          .mk_solver();
  limit_work(solver, work);
  return solver;
}

// For many small questions one after the other, which share what is assumed.
inline z3::solver make_quick_solver(z3::context& context, unsigned work) {
  z3::solver solver(context, z3::solver::simple());
  limit_work(solver, work);
  return solver;
}

}  // namespace strata::prove
