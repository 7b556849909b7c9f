#include "plan/plan.hpp"

namespace strata {
using P = plan::Quarter;
}

#include "subject/plan_entries.hpp"
