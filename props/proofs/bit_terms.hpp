// What the intermediate code's bit instructions mean, as terms.
#pragma once

#include <z3++.h>

namespace strata::prove {

// The number of 0s above the highest 1, below the lowest 1; all of them if there is no 1.
z3::expr leading_zeros(const z3::expr& word);
z3::expr trailing_zeros(const z3::expr& word);
z3::expr ones(const z3::expr& word);

// a + b; where no bit can be 1 in both, written so that each part is seen without solving: which
// record an address names is then known by its looks.
z3::expr sum(const z3::expr& a, const z3::expr& b);

}  // namespace strata::prove
