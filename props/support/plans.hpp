// The plans that the checks run on beside the shipped ones: small enough to run out of everything.
#pragma once

#include "plan/plan.hpp"

namespace strata::check {

// Two regions a segment, two chunks a region, four items of 16 B a chunk in two words of two bits,
// two pages a chunk.
using Tiny = plan::Plan<plan::Geometry<8, 7, 6, 5, 4, 1>, plan::PowersOfTwo>;

// Four units on every level, three words a set; chunks of sixteen items.
using Small = plan::Plan<plan::Geometry<12, 10, 8, 6, 4, 2>, plan::PowersOfTwo>;

// The same shape with Quarter's classes, some of which leave a remainder in a chunk.
using SmallQuarter = plan::Plan<plan::Geometry<14, 12, 10, 8, 4, 3>, plan::FourPerDoubling>;

// Items in two shards of two slots a segment each.
using SmallShards = plan::Sharded<Small, 2>;

}  // namespace strata::check
