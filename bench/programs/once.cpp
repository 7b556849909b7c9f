// What a process pays to have an allocator at all: it allocates once, or once in each of twenty
// size classes.
#include <cstring>

#include "bench/programs/program.hpp"

using namespace strata::bench;

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "alone") == 0) {
    std::free(allocate(100));
  } else if (argc == 2 && std::strcmp(argv[1], "classes") == 0) {
    for (unsigned shift = 0; shift < 20; ++shift) {
      allocate((std::size_t{8} << shift / 2) * (2 + shift % 2) / 2);
    }
  } else {
    std::fprintf(stderr, "usage: once alone|classes\n");
    return 2;
  }
}
