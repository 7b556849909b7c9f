// Batches of small objects of one size, in the spirit of sh6bench and sh8bench: of each batch a
// part is freed last-in-first-out, a part first-in-first-out, and the rest when later batches come.
#include <cstring>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr std::size_t batch_bytes = 160 << 10;
constexpr std::size_t size_bytes_max = 1000;
constexpr unsigned rounds = 60;
constexpr std::size_t kept_batches = 16;

using Batch = std::vector<void*>;

Batch allocate_batch(std::size_t size_bytes) {
  Batch batch(std::max<std::size_t>(batch_bytes / size_bytes, 16));
  for (void*& object : batch) {
    object = allocate(size_bytes);
    std::memset(object, 1, size_bytes);
  }
  return batch;
}

// A third from the back, a third from the front; the middle stays.
Batch free_most(Batch batch) {
  const std::size_t third = batch.size() / 3;
  for (std::size_t i = 0; i < third; ++i) {
    std::free(batch.back());
    batch.pop_back();
  }
  std::for_each_n(batch.begin(), third, std::free);
  return {batch.begin() + static_cast<std::ptrdiff_t>(third), batch.end()};
}

void work(unsigned seed) {
  Random random(seed);
  std::vector<Batch> kept(kept_batches);
  std::size_t next = 0;
  for (unsigned round = 0; round < rounds; ++round) {
    for (std::size_t size_bytes = random.between(1, 8); size_bytes <= size_bytes_max;
         size_bytes += size_bytes / 6 + 3) {
      Batch& oldest = kept[next++ % kept_batches];
      std::ranges::for_each(oldest, std::free);
      oldest = free_most(allocate_batch(size_bytes));
    }
  }
  for (const Batch& batch : kept) {
    std::ranges::for_each(batch, std::free);
  }
}

}  // namespace

int main() { in_parallel(workers(), work); }
