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

template <class Plan, class Memory = SearchMemory<Plan>>
SearchResult search(const SearchSpace& space) {
  const auto search = std::make_unique<Search<Plan, Memory>>(space);
  const CrashNotice notice(
      [&] { std::cerr << to_text(search->counter_example("the heap crashed")) << std::flush; });
  const char* const replay = std::getenv("STRATA_REPLAY");
  const SearchResult result = replay == nullptr ? search->run() : search->replay(from_hex(replay));
  print(result);
  return result;
}

}  // namespace strata::check
