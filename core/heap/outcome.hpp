// What a put under a bin's lock came to.
#pragma once

#include "binmap/binmap.hpp"
#include "hooks/report.hpp"

namespace strata {

struct Outcome {
  Problem problem = Problem::none;
  // A region that became empty and left its bin: the caller gives its slots back to their segment
  // (the segments lock is of higher rank).
  std::uint32_t closed_slot = no_index;
  std::uint32_t closed_slots = 0;
};

}  // namespace strata
