// Threads that come and go and pass objects on: each round every thread builds objects of random
// size and lifetime, keeps some, and swaps others into a table that all share, in the spirit of
// mstress.
#include <array>
#include <atomic>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

constexpr unsigned rounds = 30;
constexpr unsigned objects_of_a_round = 50'000;  // of a thread
constexpr std::size_t kept_max = 4000;
std::array<std::atomic<std::uint64_t*>, 1024> shared_table;

// A message: its length in words, then as many words that must arrive.
std::uint64_t* build(Random& random) {
  std::size_t words = random.between(1, 16);
  if (random.below(50) == 0) {
    words *= 30;
  }
  auto* const message = static_cast<std::uint64_t*>(allocate((words + 1) * sizeof(std::uint64_t)));
  message[0] = words;
  for (std::size_t i = 1; i <= words; ++i) {
    message[i] = words + i;
  }
  return message;
}

void finish(std::uint64_t* message) {
  if (message == nullptr) {
    return;
  }
  const std::uint64_t words = message[0];
  for (std::size_t i = 1; i <= words; ++i) {
    if (message[i] != words + i) {
      std::fprintf(stderr, "a message was overwritten\n");
      std::exit(1);
    }
  }
  std::free(message);
}

void work(std::uint64_t seed) {
  Random random(seed);
  std::vector<std::uint64_t*> kept;
  for (unsigned i = 0; i < objects_of_a_round; ++i) {
    std::uint64_t* const message = build(random);
    if (random.below(4) == 0) {
      finish(shared_table[random.below(shared_table.size())].exchange(message));
    } else if (kept.size() < kept_max) {
      kept.push_back(message);
    } else {
      std::swap(kept[random.below(kept.size())], kept.back());
      finish(kept.back());
      kept.back() = message;
    }
  }
  for (std::uint64_t* message : kept) {
    finish(message);
  }
}

}  // namespace

int main() {
  for (unsigned round = 0; round < rounds; ++round) {
    in_parallel(workers() * 2, [&](unsigned thread) { work(round * 100 + thread); });
  }
  for (auto& message : shared_table) {
    finish(message.load());
  }
}
