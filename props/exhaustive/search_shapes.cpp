// Plans with more of one thing: four items a chunk, four chunks a region, four regions a segment.

#include "props/exhaustive/search_plans.hpp"
#include "props/exhaustive/search_test.hpp"

namespace strata::check {
namespace {

// Eight items in one region, in words of two bits.
TEST(StateSearch, FourItemsAChunk) {
  expect_complete<FourItems>({.end_slot = 1}, minimum::four_items);
}

TEST(StateSearch, FourChunksARegion) {
  expect_complete<FourChunks>({.end_slot = 1}, minimum::four_chunks);
}

// Three regions of a segment of four: blocks and runs.
TEST(StateSearch, ThreeRegionsOfASegment) {
  expect_complete<FourRegions>({.end_slot = 3, .bytes_min = FourRegions::chunk_bytes},
                               minimum::three_regions);
}

TEST(FullSearch, ItemsOfThreeRegions) {
  expect_stopped<FourRegions>({.end_slot = 3, .states_max = 2'500'000},
                              minimum::items_of_three_regions, 13);
}

}  // namespace
}  // namespace strata::check
