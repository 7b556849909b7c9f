// The plans that are searched, and what each search must come to at least: figures rounded down
// from those measured, so that a search that shrinks is noticed, and their sums.
#pragma once

#include <array>
#include <cstdint>

#include "plan/plan.hpp"

namespace strata::check {

// Geometry: log2 of segment, region, chunk, page, smallest item; bits a word.
//
// Two of everything: regions a segment, chunks a region, items a chunk.
using Least = plan::Plan<plan::Geometry<7, 6, 5, 5, 4, 1>, plan::PowersOfTwo>;
// Four items a chunk, in two words.
using FourItems = plan::Plan<plan::Geometry<8, 7, 6, 5, 4, 1>, plan::PowersOfTwo>;
// Four chunks a region.
using FourChunks = plan::Plan<plan::Geometry<8, 7, 5, 5, 4, 1>, plan::PowersOfTwo>;
// Four regions a segment.
using FourRegions = plan::Plan<plan::Geometry<8, 6, 5, 5, 4, 1>, plan::PowersOfTwo>;
// Quarter's classes: three items of 80 B a chunk and less than one more; two pages a chunk, or four
// that items straddle.
using QuarterHalves = plan::Plan<plan::Geometry<10, 9, 8, 7, 4, 2>, plan::FourPerDoubling>;
using QuarterPages = plan::Plan<plan::Geometry<10, 9, 8, 6, 4, 2>, plan::FourPerDoubling>;
// The same in one page a chunk, so that two regions are not too many states.
using QuarterWhole = plan::Plan<plan::Geometry<10, 9, 8, 8, 4, 2>, plan::FourPerDoubling>;

// What a search must reach.
struct Minimum {
  std::uint64_t states;
  std::uint64_t transitions;
  std::uint64_t probes = 0;  // 0: not counted yet
  std::uint64_t bad_frees = 0;

  constexpr Minimum operator+(const Minimum& other) const {
    return {states + other.states, transitions + other.transitions, probes + other.probes,
            bad_frees + other.bad_frees};
  }
  constexpr bool reaches(std::uint64_t states_min, std::uint64_t transitions_min) const {
    return states >= states_min && transitions >= transitions_min;
  }
};

namespace minimum {

// Quick: the slice of ci/test and ci/check.
inline constexpr Minimum a_segment = {148'900, 3'085'000, 2'592'000, 2'404'000};
inline constexpr Minimum parts_of_two_segments = {134'300, 2'424'000, 2'848'000, 4'308'000};
inline constexpr Minimum regions_of_three_segments = {46'900, 2'034'000, 1'421'000, 2'303'000};
inline constexpr Minimum three_regions = {48'100, 1'391'000, 1'260'000, 1'576'000};
inline constexpr Minimum four_chunks = {21'400, 363'900, 454'000, 680'000};
inline constexpr Minimum four_items = {6'060, 81'100, 115'000, 190'000};
inline constexpr Minimum quarter_halves = {3'540, 66'900, 120'000, 456'000};
inline constexpr Minimum quarter_pages = {9'830, 168'500, 318'000, 1'265'000};
inline constexpr Minimum quick = a_segment + parts_of_two_segments + regions_of_three_segments +
                                 three_regions + four_chunks + four_items + quarter_halves +
                                 quarter_pages;

// With these, the preset `exhaustive`.
inline constexpr Minimum quarter_segment = {291'000, 6'458'000, 15'065'000, 37'244'000};
inline constexpr Minimum quarter_pages_segment = {5'039'000, 97'620'000, 226'480'000, 647'130'000};
inline constexpr Minimum chunks_of_three_segments = {3'378'000, 178'386'000, 115'392'000,
                                                     163'190'000};
inline constexpr Minimum standard =
    quick + quarter_segment + quarter_pages_segment + chunks_of_three_segments;
static_assert(standard.reaches(3'000'000, 50'000'000));

// With these, `exhaustive-full`. They end at a bound.
inline constexpr Minimum three_whole_segments = {4'030'000, 156'740'000, 112'208'000, 121'286'000};
inline constexpr Minimum items_of_three_regions = {4'218'000, 66'270'000, 75'654'000, 78'825'000};
inline constexpr Minimum full = standard + three_whole_segments + items_of_three_regions;
static_assert(full.reaches(10'000'000, 200'000'000));

}  // namespace minimum

}  // namespace strata::check
