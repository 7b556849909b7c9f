#include "props/support/scheduler_test.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "props/support/violation.hpp"

namespace strata::check {

namespace {

std::string& schedule_to_replay() {
  static std::string schedule;  // empty: explore
  return schedule;
}

// No scenario is explored with more preemptions than this: a quick look.
std::uint32_t& preemptions_max() {
  static std::uint32_t preemptions = ~0U;
  return preemptions;
}

Bounds quick(Bounds bounds) {
  bounds.preemptions = std::min(bounds.preemptions, preemptions_max());
  return bounds;
}

std::string scenario_name() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  return std::string(test.test_suite_name()) + "." + test.name();
}

void print_trace(const Exploration& execution) {
  for (const std::string& line : execution.trace) {
    std::printf("  %s\n", line.c_str());
  }
}

void fail_execution(const std::string& text) { scheduler().fail(text); }

// Where each scenario leaves its number of executions, for the sum of all; unset: nowhere.
void note_executions(const Exploration& result) {
  if (const char* const directory = std::getenv("STRATA_EXECUTIONS")) {
    std::filesystem::create_directories(directory);
    std::ofstream file(std::filesystem::path(directory) / scenario_name(), std::ios::app);
    file << result.executions << '\n';
  }
}

Exploration explore_in_words(const Scenario& scenario, const Bounds& bounds) {
  const auto start = std::chrono::steady_clock::now();
  const Exploration result = scheduler().explore(scenario, bounds);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  const char* const end = !result.passed()  ? "stopped at a failure"
                          : result.complete ? "complete"
                                            : "stopped at the bound on executions";
  std::printf("%s: %llu executions in %.2f s, %s (preemptions <= %u, stale reads <= %u)\n",
              scenario_name().c_str(), static_cast<unsigned long long>(result.executions),
              seconds.count(), end, bounds.preemptions, bounds.stale_reads);
  std::fflush(stdout);
  return result;
}

}  // namespace

void expect_passes(const Scenario& scenario, const Bounds& full_bounds) {
  const Bounds bounds = quick(full_bounds);
  if (!schedule_to_replay().empty()) {
    const Exploration execution = scheduler().replay(scenario, bounds, schedule_to_replay());
    print_trace(execution);
    EXPECT_TRUE(execution.passed()) << execution.failure;
    return;
  }
  const Exploration result = explore_in_words(scenario, bounds);
  if (!result.passed()) {
    print_trace(scheduler().replay(scenario, bounds, result.schedule));
    const bool is_quick = bounds.preemptions < full_bounds.preemptions;  // its choices are others
    ADD_FAILURE() << result.failure << "\nreplay: "
                  << (is_quick ? "with the same --preemptions, --replay=" : "ci/repro schedule:")
                  << scenario_name() << ":" << result.schedule;
  }
  EXPECT_TRUE(!result.passed() || result.complete) << "not every schedule was run";
  if (result.passed() && result.complete) {
    note_executions(result);
  }
}

void expect_fails(const Scenario& scenario, const char* failure, const Bounds& bounds) {
  if (!schedule_to_replay().empty()) {
    const Exploration execution = scheduler().replay(scenario, bounds, schedule_to_replay());
    print_trace(execution);
    EXPECT_NE(execution.failure.find(failure), std::string::npos) << execution.failure;
    return;
  }
  const Exploration result = explore_in_words(scenario, bounds);
  EXPECT_NE(result.failure.find(failure), std::string::npos)
      << "expected: " << failure << "\nfound: " << (result.passed() ? "nothing" : result.failure);
  if (!result.passed()) {
    const Exploration again = scheduler().replay(scenario, bounds, result.schedule);
    EXPECT_EQ(again.failure, result.failure) << "replaying " << result.schedule;
    EXPECT_FALSE(again.trace.empty());
  }
}

int run_scenarios(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  set_violation_handler(fail_execution);
  constexpr std::string_view option = "--replay=";
  constexpr std::string_view bound = "--preemptions=";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument.starts_with(bound)) {
      preemptions_max() = static_cast<std::uint32_t>(std::atoi(argv[i] + bound.size()));
      continue;
    }
    const std::size_t colon = argument.rfind(':');
    if (!argument.starts_with(option) || colon == argument.npos) {
      std::fprintf(stderr,
                   "usage: %s [--replay=SCENARIO:SCHEDULE] [--preemptions=MAX] "
                   "[GoogleTest's options]\n",
                   argv[0]);
      return 2;
    }
    GTEST_FLAG_SET(filter, std::string(argument.substr(option.size(), colon - option.size())));
    schedule_to_replay() = argument.substr(colon + 1);
  }
  const int failed = RUN_ALL_TESTS();
  if (testing::UnitTest::GetInstance()->test_to_run_count() == 0) {
    std::fputs("no such scenario\n", stderr);
    return 2;
  }
  return failed;
}

}  // namespace strata::check
