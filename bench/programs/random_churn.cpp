// Random objects replaced among many live ones, on one thread or on all: sizes as programs ask for
// them, every object written and read again before it dies.
#include <cstring>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr std::size_t live = 1 << 17;
constexpr unsigned replacements = 4'000'000;  // of all threads

struct Slot {
  unsigned char* bytes = nullptr;
  std::size_t size_bytes = 0;
};

void work(unsigned thread, unsigned threads) {
  Random random(thread);
  std::vector<Slot> slots(live / threads);
  unsigned sum = 0;
  for (unsigned i = 0; i < replacements / threads; ++i) {
    Slot& slot = slots[random.below(slots.size())];
    if (slot.bytes != nullptr) {
      sum += slot.bytes[slot.size_bytes / 2];
      std::free(slot.bytes);
    }
    slot.size_bytes = common_size(random) / 4 + 1;
    slot.bytes = static_cast<unsigned char*>(allocate(slot.size_bytes));
    std::memset(slot.bytes, 1, std::min<std::size_t>(slot.size_bytes, 256));
  }
  for (const Slot& slot : slots) {
    std::free(slot.bytes);
  }
  if (sum == 0) {
    std::fprintf(stderr, "what was written is gone\n");
    std::exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_alone = is_first_mode(argc, argv, "alone", "threads");
  const unsigned threads = is_alone ? 1 : workers();
  in_parallel(threads, [&](unsigned thread) { work(thread, threads); });
}
