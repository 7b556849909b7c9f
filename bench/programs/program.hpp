// What the benchmark programs share. Each is a fixed amount of work through the ordinary malloc and
// new, so that LD_PRELOAD decides which allocator is measured.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>
#include <vector>

namespace strata::bench {

// splitmix64: a few instructions, so that what is measured is the allocator.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15;
    std::uint64_t value = state_;
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
    return value ^ (value >> 31);
  }
  std::size_t below(std::size_t limit) { return next() % limit; }
  // Both ends included.
  std::size_t between(std::size_t low, std::size_t high) { return low + below(high - low + 1); }

 private:
  std::uint64_t state_;
};

// Sizes as programs ask for them: 70 of 100 up to 64 bytes, 25 up to 1 KiB, 5 up to 16 KiB.
inline std::size_t common_size(Random& random) {
  const std::size_t draw = random.below(100);
  return random.between(1, draw < 70 ? 64 : draw < 95 ? 1024 : 16384);
}

// Writes the first and last byte and each page between.
inline void touch(void* block, std::size_t size_bytes) {
  constexpr std::size_t page_bytes = 4096;
  auto* const bytes = static_cast<volatile char*>(block);
  for (std::size_t at = 0; at < size_bytes; at += page_bytes) {
    bytes[at] = 1;
  }
  bytes[size_bytes - 1] = 1;
}

inline void* allocate(std::size_t size_bytes) {
  void* const block = std::malloc(size_bytes);
  if (block == nullptr) {
    std::fprintf(stderr, "malloc(%zu) failed\n", size_bytes);
    std::exit(1);
  }
  touch(block, size_bytes);
  return block;
}

// One a processor, but at least two, so that objects have somewhere to go, and at most eight.
inline unsigned workers() { return std::clamp(std::thread::hardware_concurrency(), 2U, 8U); }

// Calls body(0), body(1), … each on a thread of its own.
template <class Body>
void in_parallel(unsigned threads, Body body) {
  std::vector<std::jthread> running;
  running.reserve(threads);
  for (unsigned number = 0; number < threads; ++number) {
    running.emplace_back([&body, number] { body(number); });
  }
}

// Whether the one argument is `first`; else it has to be `second`.
inline bool is_first_mode(int argc, char** argv, std::string_view first, std::string_view second) {
  const std::string_view mode = argc == 2 ? argv[1] : "";
  if (mode != first && mode != second) {
    std::fprintf(stderr, "usage: %s %s|%s\n", argv[0], first.data(), second.data());
    std::exit(2);
  }
  return mode == first;
}

}  // namespace strata::bench
