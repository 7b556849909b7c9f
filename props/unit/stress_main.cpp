// The stress without a test library, for MemorySanitizer.
#include <cstdio>

#include "props/unit/stress.hpp"

namespace {

using namespace strata::check;

template <class Plan>
bool passes(const char* name, std::uint32_t segments) {
  static RealAllocator<Plan> allocator;
  const char* const failure =
      allocator.open(segments) ? Stress<Plan>::run(allocator) : "nothing could be reserved";
  std::printf("%s, %u segments: %s\n", name, segments, failure == nullptr ? "good" : failure);
  allocator.close();
  return failure == nullptr;
}

}  // namespace

int main() {
  const bool good = passes<strata::plan::Pow2>("Pow2", 256) &&
                    passes<strata::plan::Quarter>("Quarter", 256) &&
                    passes<strata::plan::Pow2>("Pow2", 1);
  return good ? 0 : 1;
}
