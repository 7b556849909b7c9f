// What a process pays to have an allocator at all: it allocates once, or once of each of twenty
// sizes.
#include "bench/programs/program.hpp"

using namespace strata::bench;

int main(int argc, char** argv) {
  if (is_first_mode(argc, argv, "alone", "classes")) {
    std::free(allocate(100));
    return 0;
  }
  for (unsigned shift = 0; shift < 20; ++shift) {
    allocate((std::size_t{8} << shift / 2) * (2 + shift % 2) / 2);
  }
}
