// The heap model itself: planted bugs are found, and shrink to a few commands. And properties as
// such: one that fails is a failure, and so is one that leaves something out.

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <iostream>

#include "props/model/histories.hpp"
#include "props/model/property.hpp"
#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

using Sound = Allocator<ScriptedHeap<Tiny>>;

// Every third aligned request gets what the first one got.
struct Overlaps : Sound {
  Address allocate_aligned(Cache* cache, std::uint64_t size, std::uint64_t align) {
    const Address address = Sound::allocate_aligned(cache, size, align);
    ++requests;
    first = requests == 1 ? address : first;
    return requests == 3 ? first : address;
  }
  int requests = 0;
  Address first = 0;
};

// The third free is lost.
struct Leaks : Sound {
  void deallocate(Cache* cache, Address address) {
    if (++frees != 3) {
      Sound::deallocate(cache, address);
    }
  }
  int frees = 0;
};

// Frees of what is not the start of anything are taken without a word.
struct Silent : Sound {
  void deallocate(Cache* cache, Address address) {
    if (address == 0 || usable_bytes(address) != 0) {
      Sound::deallocate(cache, address);
    }
  }
};

// Fresh memory is called zero, whatever is in it.
struct SaysZero : Sound {
  Allocation allocate_known(Cache* cache, std::uint64_t size) {
    Allocation allocation = Sound::allocate_known(cache, size);
    allocation.known_zero = true;
    return allocation;
  }
};

template <class Planted>
std::unique_ptr<Runner> planted_runner(const Setup& setup, const Effort& effort) {
  return std::make_unique<Driver<Planted>>(setup, effort);
}

template <class Planted>
class PlantedBug : public testing::Test {};
using PlantedBugs = testing::Types<Overlaps, Leaks, Silent, SaysZero>;
TYPED_TEST_SUITE(PlantedBug, PlantedBugs);

struct SilentListener : rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

TYPED_TEST(PlantedBug, IsFoundAndShrinksToAFewCommands) {
  rc::detail::TestParams params;
  params.seed = 1;
  params.maxSuccess = 1000;
  SilentListener listener;
  const auto result = rc::detail::checkProperty(
      rc::detail::toProperty(
          [] { any_history(planted_runner<TypeParam>, Tiny::segment_shift + 1, {}); }),
      {}, params, listener);
  ASSERT_TRUE(result.template is<rc::detail::FailureResult>());
  const auto& failure = result.template get<rc::detail::FailureResult>();
  const std::string& commands = failure.counterExample.back().second;
  EXPECT_LE(std::count(commands.begin(), commands.end(), '\n'), 4) << commands;
  EXPECT_GE(std::count(commands.begin(), commands.end(), '\n'), 1) << failure.description;
  std::cout << failure.description << '\n' << commands;
}

TEST(Property, ThatFailsIsAFailure) {
  EXPECT_FATAL_FAILURE(property([](int n) { RC_ASSERT(n < 20); }), "n < 20");
  EXPECT_FATAL_FAILURE(property([] { violated("the driver's own"); }), "the driver's own");
  EXPECT_FATAL_FAILURE(property([] { RC_FAIL(); }), "ci/repro props:heap_model:Property.");
}

TEST(Property, ThatNeverRunsACommandIsAFailure) {
  const auto sequences = [] {
    mix().begin_sequence();
    mix().expect("put");
    mix().expect("take");
    mix().count("take");
  };
  EXPECT_NONFATAL_FAILURE(property(sequences), "\" put\"");
}

}  // namespace
}  // namespace strata::check
