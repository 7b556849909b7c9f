// The hit and miss paths of whatever malloc this process has. Each row reports the time of one
// allocation together with its free; bench/run compares allocators.
#include "bench/micro.hpp"

#include <benchmark/benchmark.h>
#include <dlfcn.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace strata::bench {

namespace {

std::size_t memory_bytes() {
  return static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<std::size_t>(sysconf(_SC_PAGE_SIZE));
}

// --- Hits ---------------------------------------------------------------------------------------

void pair(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  for (auto _ : state) {
    void* block = std::malloc(size_bytes);
    touch(block, std::min<std::size_t>(size_bytes, 1));
    std::free(block);
  }
  operations(state, 1);
}

void pair_zeroed(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  for (auto _ : state) {
    void* block = std::calloc(1, size_bytes);
    touch(block, 1);
    std::free(block);
  }
  operations(state, 1);
}

void pair_aligned(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  constexpr std::size_t align_bytes = 4096;
  for (auto _ : state) {
    void* block = std::aligned_alloc(align_bytes, size_bytes);
    touch(block, 1);
    std::free(block);
  }
  operations(state, 1);
}

// With the size, which spares the allocator from looking it up.
void pair_sized_delete(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  for (auto _ : state) {
    void* block = ::operator new(size_bytes);
    touch(block, 1);
    ::operator delete(block, size_bytes);
  }
  operations(state, 1);
}

void usable_size(benchmark::State& state) {
  void* block = std::malloc(size_of(state));
  for (auto _ : state) {
    benchmark::DoNotOptimize(malloc_usable_size(block));
  }
  std::free(block);
  operations(state, 1);
}

// --- Batches: beyond what a cache of any size holds, misses --------------------------------------

enum class Order { lifo, fifo, random };

template <Order order, bool is_touched = true>
void batch(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  const auto count = static_cast<std::size_t>(state.range(1));
  std::vector<void*> blocks(count);
  std::vector<std::size_t> places(count);
  std::iota(places.begin(), places.end(), std::size_t{0});
  if (order == Order::lifo) {
    std::ranges::reverse(places);
  } else if (order == Order::random) {
    std::ranges::shuffle(places, Random(1));
  }
  for (auto _ : state) {
    for (void*& block : blocks) {
      block = std::malloc(size_bytes);
      touch(block, is_touched ? 1 : 0);
    }
    for (const std::size_t place : places) {
      std::free(blocks[place]);
    }
  }
  operations(state, state.range(1));
}

// --- Long-lived objects --------------------------------------------------------------------------

// Sizes as programs ask for them: most under 64 bytes, a few over a kilobyte.
std::size_t common_size(Random& random) {
  const auto draw = random() % 100;
  const std::size_t limit_bytes = draw < 70 ? 64 : draw < 95 ? 1024 : 16384;
  return 1 + random() % limit_bytes;
}

void churn(benchmark::State& state) {
  constexpr std::size_t draws = 1 << 14;
  const auto live = static_cast<std::size_t>(state.range(0));
  Random random(1);
  std::vector<void*> blocks(live, nullptr);
  std::vector<std::pair<std::size_t, std::size_t>> steps(draws);  // place, size
  for (auto& [place, size_bytes] : steps) {
    place = random() % live;
    size_bytes = common_size(random);
  }
  for (void*& block : blocks) {
    block = std::malloc(common_size(random));
  }
  std::size_t at = 0;
  for (auto _ : state) {
    const auto [place, size_bytes] = steps[at++ % draws];
    std::free(blocks[place]);
    blocks[place] = std::malloc(size_bytes);
    touch(blocks[place], 1);
  }
  for (void* block : blocks) {
    std::free(block);
  }
  operations(state, 1);
}

// Replaces objects of a kilobyte, chosen at random, in a working set of so many MiB: what an
// operation costs may not rise with what is live, beyond the processor's own cache misses. `bump`
// does the same on an array, so that these are seen in the same run.
template <bool is_bump>
void working_set(benchmark::State& state) {
  constexpr std::size_t size_bytes = 1024;
  const std::size_t live = (size_of(state) << 20) / size_bytes;
  if (size_bytes * live > memory_bytes() / 2) {
    state.SkipWithError("too large for this machine");
    return;
  }
  std::vector<char> array(is_bump ? live * size_bytes : 0);
  std::vector<void*> blocks(live);
  for (std::size_t i = 0; i < live; ++i) {
    blocks[i] = is_bump ? &array[i * size_bytes] : std::malloc(size_bytes);
    touch(blocks[i], 1);
  }
  Random random(1);
  for (auto _ : state) {
    void*& block = blocks[random() % live];
    if (!is_bump) {
      std::free(block);
      block = std::malloc(size_bytes);
    }
    touch(block, 1);
  }
  for (void* block : blocks) {
    if (!is_bump) {
      std::free(block);
    }
  }
  operations(state, 1);
}

void grow_by_realloc(benchmark::State& state) {
  const std::size_t last_bytes = size_of(state);
  Count steps = 0;
  for (auto _ : state) {
    void* block = nullptr;
    for (std::size_t size_bytes = 16; size_bytes <= last_bytes; size_bytes += size_bytes / 2) {
      void* const grown = std::realloc(block, size_bytes);
      touch(grown, 1);
      block = grown;
      ++steps;
    }
    std::free(block);
  }
  state.SetItemsProcessed(steps);
}

void register_pairs() {
  benchmark::RegisterBenchmark("pair", pair)->RangeMultiplier(4)->Range(16, 16 << 20)->Arg(32768);
  benchmark::RegisterBenchmark("calloc", pair_zeroed)->Arg(64)->Arg(4096)->Arg(1 << 20);
  benchmark::RegisterBenchmark("aligned_4096", pair_aligned)->Arg(4096)->Arg(65536);
  benchmark::RegisterBenchmark("sized_delete", pair_sized_delete)->Arg(16)->Arg(64)->Arg(1024);
  benchmark::RegisterBenchmark("usable_size", usable_size)->Arg(64)->Arg(1 << 20);
}

void register_batches() {
  const auto sizes_and_counts = [](benchmark::internal::Benchmark* row) {
    row->ArgsProduct({{16, 64, 256}, {64, 1024}});
  };
  benchmark::RegisterBenchmark("batch_lifo", batch<Order::lifo>)->Apply(sizes_and_counts);
  benchmark::RegisterBenchmark("batch_fifo", batch<Order::fifo>)->Apply(sizes_and_counts);
  benchmark::RegisterBenchmark("batch_random", batch<Order::random>)->Apply(sizes_and_counts);
  benchmark::RegisterBenchmark("batch_untouched", batch<Order::lifo, false>)
      ->Apply(sizes_and_counts);
}

// `is_short`: not the working sets that take seconds to fill.
void register_long_lived(bool is_short) {
  constexpr Count replacements = 200'000;
  benchmark::RegisterBenchmark("churn", churn)->Arg(10'000);
  for (const Count mib : {1, 16, 256, 1024, 4096}) {
    if (!is_short || mib <= 256) {
      const auto fixed = [&](const char* name, void (*row)(benchmark::State&)) {
        benchmark::RegisterBenchmark(name, row)->Arg(mib)->Iterations(replacements);
      };
      fixed("working_set_mib", working_set<false>);
      fixed("working_set_mib_bump", working_set<true>);
    }
  }
  benchmark::RegisterBenchmark("realloc_growth", grow_by_realloc)
      ->Arg(1024)
      ->Arg(1 << 18)
      ->Arg(64 << 20);
}

// The file that malloc comes from, so that bench/run can see that it measured what it meant to.
const char* malloc_file() {
  Dl_info info;
  void* symbol = dlsym(RTLD_DEFAULT, "malloc");
  return symbol != nullptr && dladdr(symbol, &info) != 0 ? info.dli_fname : "unknown";
}

void register_rows() {
  const char* const is_short = std::getenv("STRATA_BENCH_SHORT");
  register_pairs();
  register_batches();
  register_long_lived(is_short != nullptr && std::string(is_short) == "1");
  register_threads();
}

}  // namespace

}  // namespace strata::bench

int main(int argc, char** argv) {
  strata::bench::register_rows();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::AddCustomContext("malloc", strata::bench::malloc_file());
  benchmark::RunSpecifiedBenchmarks();
}
