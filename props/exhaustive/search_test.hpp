// One search as a test: what it must come to, what it prints, and how a counter-example is
// replayed.
#pragma once

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>

#include "props/exhaustive/search.hpp"
#include "props/exhaustive/search_plans.hpp"

namespace strata::check {

// While it lives, a failed assertion or a wild access of core says something first.
class CrashNotice {
 public:
  explicit CrashNotice(std::function<void()> notice) {
    notice_() = std::move(notice);
    for (const int signal : signals) {
      std::signal(signal, [](int caught) {
        for (const int each : signals) {
          std::signal(each, SIG_DFL);
        }
        notice_()();
        std::raise(caught);
      });
    }
  }
  ~CrashNotice() {
    for (const int signal : signals) {
      std::signal(signal, SIG_DFL);
    }
  }
  CrashNotice(const CrashNotice&) = delete;
  CrashNotice& operator=(const CrashNotice&) = delete;

 private:
  static constexpr std::array<int, 3> signals = {SIGABRT, SIGSEGV, SIGFPE};
  static std::function<void()>& notice_() {
    static std::function<void()> notice;
    return notice;
  }
};

inline std::string to_text(const CounterExample& found) {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("{}\nci/repro states:{}.{}:{}\n", found.text, test.test_suite_name(),
                     test.name(), found.encoded);
}

inline void print(const SearchResult& result) {
  fmt::print(
      "{} states, {} transitions ({} ran out of room); {} probes, {} bad frees; {} of {} "
      "operations; {:.1f} s\n",
      result.states, result.transitions, result.exhausted, result.probes, result.bad_frees,
      result.complete ? "complete: nothing new after" : "not complete: all sequences",
      result.operations, result.seconds);
}

// Runs the search, or replays the counter-example that ci/repro was given. What it comes to is
// checked by check(result), of a search alone.
template <class Plan, class Check>
void expect_sound(const SearchSpace& space, const Minimum& minimum, Check check) {
  const auto search = std::make_unique<Search<Plan>>(space);
  const CrashNotice notice(
      [&] { std::cerr << to_text(search->counter_example("the heap crashed")) << std::flush; });
  const char* const replay = std::getenv("STRATA_REPLAY");
  const SearchResult result = replay == nullptr ? search->run() : search->replay(from_hex(replay));
  print(result);
  EXPECT_TRUE(result.counter_example.empty()) << to_text(result.counter_example);
  if (replay == nullptr) {
    EXPECT_GE(result.states, minimum.states);
    EXPECT_GE(result.transitions, minimum.transitions);
    EXPECT_GE(result.probes, minimum.probes);
    EXPECT_GE(result.bad_frees, minimum.bad_frees);
    EXPECT_GT(result.exhausted, 0U);
    check(result);
  }
}

// Every reachable state.
template <class Plan>
void expect_complete(const SearchSpace& space, const Minimum& minimum) {
  expect_sound<Plan>(space, minimum,
                     [](const SearchResult& result) { EXPECT_TRUE(result.complete); });
}

// Stopped at the bound of `space`, with every sequence of so many operations tried.
template <class Plan>
void expect_stopped(const SearchSpace& space, const Minimum& minimum, std::uint32_t operations) {
  expect_sound<Plan>(space, minimum, [operations](const SearchResult& result) {
    EXPECT_FALSE(result.complete);
    EXPECT_GE(result.operations, operations);
  });
}

// What was a counter-example once is none.
template <class Plan>
void expect_passes(const SearchSpace& space, const char* encoded) {
  const SearchResult result = Search<Plan>(space).replay(from_hex(encoded));
  EXPECT_GT(result.transitions, 0U);
  EXPECT_TRUE(result.counter_example.empty()) << to_text(result.counter_example);
}

}  // namespace strata::check
