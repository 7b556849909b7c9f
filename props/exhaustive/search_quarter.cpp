// Plans with Quarter's classes, some of which leave a remainder in a chunk. Of the small ones a
// chunk holds too many for a search of everything, so the requests begin further up.

#include "props/exhaustive/search_plans.hpp"
#include "props/exhaustive/search_test.hpp"

namespace strata::check {
namespace {

// Three items of 80 B, two of 96 B, 112 B and 128 B a chunk; in two pages, or in four that they
// straddle.
TEST(StateSearch, QuarterInHalfChunkPages) {
  expect_complete<QuarterHalves>({.end_slot = 1, .bytes_min = 80}, minimum::quarter_halves);
}
TEST(StateSearch, QuarterInSmallPages) {
  expect_complete<QuarterPages>({.end_slot = 1, .bytes_min = 80}, minimum::quarter_pages);
}

// A segment of two regions.
TEST(LongSearch, QuarterInASegment) {
  expect_complete<QuarterWhole>({.end_slot = 2, .bytes_min = 112}, minimum::quarter_segment);
}

TEST(LongSearch, QuarterInSmallPagesOfASegment) {
  expect_complete<QuarterPages>({.end_slot = 2, .bytes_min = 112}, minimum::quarter_pages_segment);
}

// What the search found once: pages behind the last item of a chunk were purged with nothing held.
TEST(StateSearch, PagesBehindTheLastItem) {
  expect_passes<QuarterPages>({.end_slot = 1, .bytes_min = 80}, "01000480cf01000480df0480cf010006");
}

}  // namespace
}  // namespace strata::check
