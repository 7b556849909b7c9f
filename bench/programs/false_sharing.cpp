// Small objects written over and over, one a thread. active: each thread allocates its own, and an
// allocator that gives neighbours to two threads makes them share a cache line. passive: they begin
// with neighbours that one thread allocated, free those, and what the allocator hands out again
// counts.
#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr std::size_t object_bytes = 8;
constexpr unsigned rounds = 1'200'000;  // of a thread
constexpr unsigned writes = 800;        // of an object

void write_often(void* object) {
  auto* const number = static_cast<volatile std::uint64_t*>(object);
  for (unsigned i = 0; i < writes; ++i) {
    *number = *number + 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_passive = is_first_mode(argc, argv, "passive", "active");
  const unsigned threads = workers();
  std::vector<void*> neighbours(threads, nullptr);
  for (void*& neighbour : neighbours) {
    neighbour = is_passive ? allocate(object_bytes) : nullptr;
  }
  in_parallel(threads, [&](unsigned thread) {
    std::free(neighbours[thread]);
    for (unsigned i = 0; i < rounds / threads; ++i) {
      void* const object = allocate(object_bytes);
      write_often(object);
      std::free(object);
    }
  });
}
