// A server in the spirit of Larson's benchmark: each worker replaces random objects among those
// that it was handed, then ends and leaves them to a successor, who frees what it never allocated.
#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr std::size_t slots = 2000;
constexpr unsigned generations = 40;
constexpr unsigned replacements = 200'000;  // of a generation and worker

void serve(std::vector<void*>& objects, std::uint64_t seed) {
  Random random(seed);
  for (unsigned i = 0; i < replacements; ++i) {
    void*& object = objects[random.below(slots)];
    std::free(object);
    object = allocate(random.between(8, 1000));
  }
}

}  // namespace

int main() {
  in_parallel(workers(), [](unsigned worker) {
    std::vector<void*> objects(slots, nullptr);
    for (unsigned generation = 0; generation < generations; ++generation) {
      std::jthread successor(serve, std::ref(objects), worker * 1000 + generation);
    }
    std::ranges::for_each(objects, std::free);
  });
}
