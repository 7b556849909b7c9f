// Histories of the heap model, for whatever runs operations.
#pragma once

#include "props/support/runner.hpp"

namespace strata::check {

// A property: draws a setup and commands, of sizes to 2^size_shift_max and beyond, and runs them.
// The commands are the last thing drawn, so that they are what a counter-example shows last.
void any_history(MakeRunner* make, unsigned size_shift_max, const Effort& effort);

}  // namespace strata::check
