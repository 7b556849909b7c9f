// The heap on a small plan whose items have two shards. Each thread of an input takes from its own.

#include "fuzz/target.hpp"
#include "props/support/plans.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return strata::check::fuzz_heap<strata::check::SmallShards>(
      data, size, {.validate_interval = 32, .operations_max = 128});
}
