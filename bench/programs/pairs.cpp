// malloc and free as tightly as they can be called, in the spirit of glibc's own benchmarks: pairs,
// and blocks of live objects freed in the order of allocation, over sizes to 8 KiB; on one thread
// or on all.
#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr unsigned rounds = 6;

void run_pairs(std::size_t size_bytes) {
  for (unsigned i = 0; i < 50'000; ++i) {
    void* const object = std::malloc(size_bytes);
    *static_cast<volatile char*>(object) = 1;
    std::free(object);
  }
}

void run_block(std::vector<void*>& block, std::size_t size_bytes) {
  for (unsigned i = 0; i < 50'000 / block.size(); ++i) {
    for (void*& object : block) {
      object = std::malloc(size_bytes);
      *static_cast<volatile char*>(object) = 1;
    }
    std::ranges::for_each(block, std::free);
  }
}

void work(unsigned) {
  std::vector<void*> few(25);
  std::vector<void*> many(400);
  for (unsigned round = 0; round < rounds; ++round) {
    for (std::size_t size_bytes = 16; size_bytes <= 8192; size_bytes *= 2) {
      run_pairs(size_bytes);
      run_block(few, size_bytes);
      run_block(many, size_bytes);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_alone = is_first_mode(argc, argv, "alone", "threads");
  in_parallel(is_alone ? 1 : workers(), work);
}
