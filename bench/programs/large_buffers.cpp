// Blocks of 5 to 25 MiB, a few live at a time, replaced at random; every page is written.
#include "bench/programs/program.hpp"

using namespace strata::bench;

int main() {
  constexpr std::size_t live = 20;
  constexpr unsigned replacements = 120;
  constexpr std::size_t mib = 1 << 20;
  Random random(1);
  std::vector<void*> blocks(live, nullptr);
  for (unsigned i = 0; i < replacements; ++i) {
    void*& block = blocks[random.below(live)];
    std::free(block);
    block = allocate(random.between(5 * mib, 25 * mib));
  }
  std::ranges::for_each(blocks, std::free);
}
