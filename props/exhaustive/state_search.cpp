// Every state of the smallest plan in which everything is there twice: two items a chunk, two
// chunks a region, two regions a segment, three sizes of blocks, runs of slots.

#include <gtest/gtest.h>

#include <iostream>

#include "props/exhaustive/search.hpp"

namespace strata::check {
namespace {

using Least = plan::Plan<plan::Geometry<7, 6, 5, 5, 4, 1>, plan::PowersOfTwo>;

template <class Memory = SearchMemory<Least>>
SearchResult search(const SearchSpace& space) {
  const auto search = std::make_unique<Search<Least, Memory>>(space);
  const SearchResult result = search->run();
  std::cout << fmt::format("{} states, {} transitions ({} ran out of room), {} bad frees; {}\n",
                           result.states, result.transitions, result.exhausted, result.bad_frees,
                           result.complete ? "complete" : "not complete");
  return result;
}

std::string repro() {
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  return std::string("\nci/repro test:exhaustive:") + test.test_suite_name() + "." + test.name();
}

// One segment: blocks take it whole, or a slot of it.
TEST(StateSearch, ASegment) {
  const SearchResult result = search({.end_slot = 2, .states_max = 3'000'000});
  EXPECT_TRUE(result.counter_example.empty()) << result.counter_example << repro();
  EXPECT_TRUE(result.complete);
  EXPECT_GT(result.exhausted, 0U);
}

// Parts of two segments: the list of segments is in play, and no segment is whole.
TEST(StateSearch, PartsOfTwoSegments) {
  const SearchResult result = search({.first_slot = 1, .end_slot = 3, .states_max = 3'000'000});
  EXPECT_TRUE(result.counter_example.empty()) << result.counter_example << repro();
  EXPECT_TRUE(result.complete);
  EXPECT_GT(result.exhausted, 0U);
}

// The search itself: a system that keeps what it says it dropped is found out, in a few steps.
struct Keeps : SearchMemory<Least> {
  bool decommit(Space space, std::uint64_t offset, std::uint64_t size) {
    const Pages before = pages;
    const bool done = SearchMemory<Least>::decommit(space, offset, size);
    pages = before;
    return done;
  }
};

TEST(StateSearch, FindsAPlantedBug) {
  const SearchResult result = search<Keeps>({.end_slot = 2, .states_max = 3'000'000});
  EXPECT_FALSE(result.complete);
  const std::string& trace = result.counter_example;
  EXPECT_NE(trace.find("purge"), std::string::npos) << trace;
  EXPECT_LE(std::ranges::count(trace, '\n'), 7) << trace;
}

}  // namespace
}  // namespace strata::check
