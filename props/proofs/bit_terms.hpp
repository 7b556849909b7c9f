// What the intermediate code's bit instructions mean, as terms.
#pragma once

#include <z3++.h>

namespace strata::prove {

// The number of 0s above the highest 1, below the lowest 1; all of them if there is no 1.
z3::expr leading_zeros(const z3::expr& word);
z3::expr trailing_zeros(const z3::expr& word);
z3::expr ones(const z3::expr& word);

}  // namespace strata::prove
