// The heap on a plan so small that a few operations run out of everything.
//
// The state search (props/exhaustive) reaches every state of such plans within 20 to 41 operations:
// longer inputs would only cost executions.

#include "fuzz/target.hpp"
#include "props/support/plans.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return strata::check::fuzz_heap<strata::check::Tiny>(
      data, size, {.validate_interval = 16, .operations_max = 48});
}
