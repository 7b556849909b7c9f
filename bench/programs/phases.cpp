// Fragmentation: each phase asks for other sizes and leaves a random twentieth alive, scattered
// over what the next phase has to reuse.
#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr unsigned phases = 24;
constexpr std::size_t phase_bytes = 48 << 20;
constexpr std::size_t survivors_in = 20;  // one of so many
constexpr unsigned lifetime = 10;         // phases

}  // namespace

int main() {
  Random random(1);
  std::vector<std::vector<void*>> survivors(phases);
  for (unsigned phase = 0; phase < phases; ++phase) {
    const std::size_t low = std::size_t{16} << (phase * 5 % 9);
    std::vector<void*> objects;
    for (std::size_t bytes = 0; bytes < phase_bytes;) {
      const std::size_t size_bytes = random.between(low, low * 3);
      objects.push_back(allocate(size_bytes));
      bytes += size_bytes;
    }
    for (void* object : objects) {
      if (random.below(survivors_in) == 0) {
        survivors[phase].push_back(object);
      } else {
        std::free(object);
      }
    }
    if (phase >= lifetime) {
      std::ranges::for_each(survivors[phase - lifetime], std::free);
      survivors[phase - lifetime].clear();
    }
  }
}
