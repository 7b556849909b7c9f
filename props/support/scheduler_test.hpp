// Scenarios as GoogleTest tests: the running test's name names the scenario, and a failure prints
// its schedule, the command that replays it, and what the threads did.
#pragma once

#include "props/support/scheduler.hpp"

namespace strata::check {

// Passes if every schedule within the bounds was run and none failed; prints how many there were.
// Under --replay only the given schedule is run, and its trace printed.
void expect_passes(const Scenario& scenario, const Bounds& bounds = {});

// Passes if some schedule fails with `failure` as part of its text, and replaying that schedule
// fails in the same way: for scenarios with a planted bug.
void expect_fails(const Scenario& scenario, const char* failure, const Bounds& bounds = {});

// Runs the tests; understands --replay=SCENARIO:SCHEDULE, which runs that one.
int run_scenarios(int argc, char** argv);

}  // namespace strata::check
