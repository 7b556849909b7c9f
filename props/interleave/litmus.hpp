// What the litmus tests share: programs of two or three threads over two atomics, two mutexes and
// plain data, each of which leaves a result.
#pragma once

#include <gtest/gtest.h>

#include <set>
#include <utility>

#include "props/support/scheduler_plain.hpp"
#include "props/support/scheduler_sync.hpp"
#include "props/support/scheduler_test.hpp"

namespace strata::check {
using Mutex = SchedulingSync::Mutex;
using Int = SchedulingSync::Atomic<int>;
inline constexpr auto relaxed = std::memory_order_relaxed;
inline constexpr auto acquire = std::memory_order_acquire;
inline constexpr auto release = std::memory_order_release;
inline constexpr auto acq_rel = std::memory_order_acq_rel;
inline constexpr auto seq_cst = std::memory_order_seq_cst;

using Outcomes = std::set<std::pair<int, int>>;

// Two threads share x, y and the plain data; each leaves a result.
class Litmus : public testing::Test {
 protected:
  void reset() {
    x = y = Int{};
    a = b = Mutex{};
    data.reset(0);
    first = second = -1;
  }

  template <class... Threads>
  Scenario of(Threads... threads) {
    return {.setup = [this] { reset(); },
            .threads = {std::move(threads)...},
            .check = [this] { outcomes.emplace(first, second); }};
  }

  // Every (first, second) that some schedule gives.
  template <class... Threads>
  Outcomes all(Threads... threads) {
    expect_passes(of(std::move(threads)...));
    return outcomes;
  }

  Int x, y;
  Mutex a, b;
  Plain<int> data;
  int first = -1, second = -1;
  Outcomes outcomes;
};

}  // namespace strata::check
