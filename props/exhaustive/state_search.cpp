// Every state of the smallest plan in which everything is there twice: two items a chunk, two
// chunks a region, two regions a segment, three sizes of blocks, runs of slots and of segments.

#include "props/exhaustive/search_plans.hpp"
#include "props/exhaustive/search_test.hpp"

namespace strata::check {
namespace {

// One segment: blocks take it whole, or a slot of it.
TEST(StateSearch, ASegment) { expect_complete<Least>({.end_slot = 2}, minimum::a_segment); }

// Parts of two segments: the list of segments is in play, and no segment is whole.
TEST(StateSearch, PartsOfTwoSegments) {
  expect_complete<Least>({.first_slot = 1, .end_slot = 3}, minimum::parts_of_two_segments);
}

// Half a segment, a whole one, and half of the third: what the list of segments does in its middle.
TEST(StateSearch, RegionsOfThreeSegments) {
  expect_complete<Least>({.first_slot = 1, .end_slot = 5, .bytes_min = Least::region_bytes},
                         minimum::regions_of_three_segments);
}

// More than can be searched whole: the first states, so that all short sequences are among them.
TEST(LongSearch, ChunksOfThreeSegments) {
  expect_complete<Least>({.first_slot = 1, .end_slot = 5, .bytes_min = Least::chunk_bytes},
                         minimum::chunks_of_three_segments);
}
TEST(FullSearch, ThreeWholeSegments) {
  expect_stopped<Least>({.end_slot = 6, .bytes_min = Least::region_bytes, .states_max = 2'500'000},
                        minimum::three_whole_segments, 12);
}

}  // namespace
}  // namespace strata::check
