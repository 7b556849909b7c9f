// The drivers that properties and strata-ops share.

#include "props/support/driver.hpp"
#include "props/support/plans.hpp"
#include "props/support/runner.hpp"

namespace strata::check {

template <class Plan>
std::unique_ptr<Runner> scripted_runner(const Setup& setup, const Effort& effort) {
  return std::make_unique<Driver<Allocator<ScriptedHeap<Plan>>>>(setup, effort);
}
template MakeRunner scripted_runner<Tiny>;
template MakeRunner scripted_runner<Small>;
template MakeRunner scripted_runner<SmallShards>;
template MakeRunner scripted_runner<SmallQuarter>;
template MakeRunner scripted_runner<plan::Pow2>;
template MakeRunner scripted_runner<plan::Quarter>;

const std::array<NamedRunner, 6> named_runners = {{
    {"tiny", "Tiny", scripted_runner<Tiny>},
    {"small", "Small", scripted_runner<Small>},
    {"shards", "SmallShards", scripted_runner<SmallShards>},
    {"small_quarter", "SmallQuarter", scripted_runner<SmallQuarter>},
    {"pow2", "strata::plan::Pow2", scripted_runner<plan::Pow2>},
    {"quarter", "strata::plan::Quarter", scripted_runner<plan::Quarter>},
}};

std::unique_ptr<Runner> real_runner(const Setup& setup, const Effort& effort) {
  using Real = Heap<plan::Pow2, Linux, PlainSync, TouchHooks>;
  return std::make_unique<Driver<Allocator<Real>>>(setup, effort);
}

}  // namespace strata::check
