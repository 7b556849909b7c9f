// The code of a bin and of the segments, on bin maps by contract: what is proved.

#include "subject/contract_map.hpp"

namespace strata {
using ProofMap = ContractMap;
}

#include "subject/heap_entries.hpp"
