// Four threads that build, hand over and drop trees of strings: something to compile, and then a
// program whose every block may be freed by another thread than its own.
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using Tree = std::map<std::uint32_t, std::string>;

struct Box {
  std::mutex mutex;
  std::vector<std::unique_ptr<Tree>> trees;

  void put(std::unique_ptr<Tree> tree) {
    const std::lock_guard lock(mutex);
    trees.push_back(std::move(tree));
  }
  std::unique_ptr<Tree> take() {
    const std::lock_guard lock(mutex);
    if (trees.empty()) {
      return nullptr;
    }
    auto tree = std::move(trees.back());
    trees.pop_back();
    return tree;
  }
};

std::unique_ptr<Tree> grow(std::uint32_t seed) {
  auto tree = std::make_unique<Tree>();
  for (std::uint32_t i = 0; i < 400; ++i) {
    seed = seed * 1664525U + 1013904223U;
    (*tree)[seed >> 16] += std::string(seed % 300, static_cast<char>('a' + seed % 26));
  }
  return tree;
}

std::uint64_t weigh(const Tree& tree) {
  std::uint64_t sum = 0;
  for (const auto& [key, text] : tree) {
    sum += key;
    for (const char c : text) {
      sum = sum * 31 + static_cast<unsigned char>(c);
    }
  }
  return sum;
}

}  // namespace

int main() {
  constexpr std::uint32_t thread_count = 4;
  constexpr std::uint32_t rounds = 100;
  Box box;
  std::vector<std::uint64_t> sums(thread_count);
  std::vector<std::thread> threads;
  for (std::uint32_t t = 0; t < thread_count; ++t) {
    threads.emplace_back([&box, &sum = sums[t], t] {
      for (std::uint32_t round = 0; round < rounds; ++round) {
        box.put(grow(t * rounds + round));
        if (const auto tree = box.take()) {
          sum += weigh(*tree);
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  std::uint64_t total = 0;
  for (const std::uint64_t sum : sums) {
    total += sum;
  }
  while (const auto tree = box.take()) {
    total += weigh(*tree);
  }
  std::printf("%llu\n", static_cast<unsigned long long>(total));
}
