// The Hooks seam of the checks: keeps reports of bad frees for the driver, which knows what it
// gave; anything else that is reported is a violation.
#pragma once

#include <array>
#include <compare>
#include <vector>

#include "hooks/none.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

struct CheckHooks : NoHooks {
  static constexpr bool enabled = true;

  void report(const Report& report) {
    if (report.problem == Problem::broken_invariant || report.problem == Problem::lock_order) {
      violated(fmt::format("{}: {} (address {:#x}, slot {}, class {}, unit {}, item {})",
                           describe(report.problem),
                           report.invariant == nullptr ? "?" : report.invariant, report.address,
                           report.slot, report.cls, report.unit, report.item));
    }
    reports.push_back(report);
  }

  std::vector<Report> reports;  // of bad frees, not yet expected by anyone
};

// Remembers which chunks and blocks an operation changed, for the driver to look at, and counts
// what happened.
struct TouchHooks : CheckHooks {
  struct Unit {
    std::uint32_t slot, unit;
    auto operator<=>(const Unit&) const = default;
  };

  void on(Event event, std::uint32_t slot, std::uint32_t unit) {
    // For one thread: an event comes with the lock held that guards its slot.
    const bool of_run = event == Event::run_taken || event == Event::run_given;
    require(PlainMutex::held().highest() >= (of_run ? rank::segments : rank::first_bin),
            "event {} in slot {} without the lock that guards it", static_cast<int>(event), slot);
    ++events[static_cast<std::size_t>(event)];
    if (touched.empty() || touched.back() != Unit{slot, unit}) {
      touched.push_back({slot, unit});
    }
  }

  std::vector<Unit> touched;
  std::array<std::uint64_t, static_cast<std::size_t>(Event::purged) + 1> events{};
};

}  // namespace strata::check
