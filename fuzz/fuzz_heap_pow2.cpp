// The heap on the plan that ships.

#include "fuzz/target.hpp"
#include "plan/plan.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return strata::check::fuzz_heap<strata::plan::Pow2>(
      data, size, {.validate_interval = 64, .operations_max = 256});
}
