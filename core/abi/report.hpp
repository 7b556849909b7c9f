// Saying what is wrong, on a system that may be in any state: no allocation, no stdio, no locks.
#pragma once

#include <string_view>

#include "hooks/report.hpp"
#include "sync/guard.hpp"

namespace strata {

// Writes the report to standard error and aborts.
[[noreturn]]
void report_and_abort(const Report& report);

// operator new failed where nothing can be thrown: says so and aborts.
[[noreturn]]
void abort_out_of_memory();

// Writes that an option cannot be read, and the remedy, to standard error; exits with status 2.
[[noreturn]]
void reject_option(std::string_view option, const char* remedy);

// Writes that an option does nothing in this library, and goes on.
void pass_over_option(std::string_view option, const char* remedy);

// Handlers of the checking seams.
struct AbortingHandler {
  static void report(const Report& report) { report_and_abort(report); }
  static void out_of_order(Rank taken, Rank held);
};

}  // namespace strata
