#include "plan/plan.hpp"

namespace strata {
using P = plan::Malloc;  // Quarter, and the books of its shards
}

#include "subject/plan_entries.hpp"
