// What the rows of strata_micro share.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <random>

namespace strata::bench {

using Count = std::int64_t;
using Random = std::minstd_rand;

inline std::size_t size_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

// Writes as a program would: the first byte of each block, or every page of a larger one.
inline void touch(void* block, std::size_t size_bytes) {
  constexpr std::size_t page_bytes = 4096;
  for (std::size_t at = 0; at < size_bytes; at += page_bytes) {
    static_cast<char*>(block)[at] = 1;
  }
  benchmark::DoNotOptimize(block);
}

inline void operations(benchmark::State& state, Count per_iteration) {
  state.SetItemsProcessed(state.iterations() * per_iteration);
}

void register_threads();

}  // namespace strata::bench
