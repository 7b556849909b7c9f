// Red-black trees, each node an allocation: one set grown, churned and emptied in random order.
#include <map>

#include "bench/programs/program.hpp"

using namespace strata::bench;

int main() {
  constexpr std::size_t keys = 300'000;
  constexpr unsigned rounds = 600'000;
  Random random(1);
  std::map<std::uint64_t, std::uint64_t> tree;
  for (std::size_t i = 0; i < keys; ++i) {
    tree.emplace(random.below(keys * 2), i);
  }
  for (unsigned i = 0; i < rounds; ++i) {
    if (const std::uint64_t key = random.below(keys * 2); tree.erase(key) == 0) {
      tree.emplace(key, i);
    }
  }
  std::printf("%zu\n", tree.size());
}
