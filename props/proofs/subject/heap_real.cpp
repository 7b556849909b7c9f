// The code of a bin and of the segments, on the real bin map: what the machine's own test runs.

#include "binmap/binmap.hpp"

namespace strata {
using ProofMap = BinMap<6>;
}

#include "subject/heap_entries.hpp"
