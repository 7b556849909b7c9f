// A RapidCheck model of the heap: any operations, on the reference beside the allocator; each
// failure shrinks to the fewest commands that still fail. The driver looks at everything after each
// command.

#include "props/model/histories.hpp"
#include "props/model/property.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

template <class Plan>
void hold_all_histories(const Effort& effort = {}) {
  property([&] { any_history(scripted_runner<Plan>, Plan::segment_shift + 1, effort); });
}

TEST(HeapModel, Tiny) { hold_all_histories<Tiny>(); }
TEST(HeapModel, Small) { hold_all_histories<Small>(); }
TEST(HeapModel, SmallShards) { hold_all_histories<SmallShards>(); }
TEST(HeapModel, SmallQuarter) { hold_all_histories<SmallQuarter>(); }
TEST(HeapModel, Pow2) { hold_all_histories<plan::Pow2>({.validate_interval = 16}); }
TEST(HeapModel, Quarter) { hold_all_histories<plan::Quarter>({.validate_interval = 16}); }

TEST(HeapModel, RealMemory) {
  property([] { any_history(real_runner, 27, {.validate_interval = 16}); });
}

}  // namespace
}  // namespace strata::check
