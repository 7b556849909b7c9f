#include "plan/plan.hpp"

namespace strata {
using P = plan::Pow2;
}

#include "subject/plan_entries.hpp"
