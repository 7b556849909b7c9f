// The stress without a test library, for MemorySanitizer.
#include <cstdio>

#include "props/unit/stress.hpp"

namespace {

using namespace strata::check;

template <class Allocator>
bool passes(const char* name, std::uint32_t segments) {
  static Allocator allocator;
  const char* const failure =
      allocator.open(segments) ? Stress<Allocator>::run(allocator) : "nothing could be reserved";
  std::printf("%s, %u segments: %s\n", name, segments, failure == nullptr ? "good" : failure);
  allocator.close();
  return failure == nullptr;
}

}  // namespace

int main() {
  const bool good = passes<RealAllocator<strata::plan::Pow2>>("Pow2", 256) &&
                    passes<ShardedAllocator<strata::plan::Malloc>>("Quarter in shards", 256) &&
                    passes<RealAllocator<strata::plan::Pow2>>("Pow2", 1);
  return good ? 0 : 1;
}
