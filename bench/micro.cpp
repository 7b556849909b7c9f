// The hit and miss paths of whatever malloc this process has. Each row reports the time of one
// allocation together with its free; bench/run compares allocators.
#include <benchmark/benchmark.h>
#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <random>
#include <thread>
#include <vector>

namespace {

using Count = std::int64_t;
using Random = std::minstd_rand;

std::size_t size_of(const benchmark::State& state) {
  return static_cast<std::size_t>(state.range(0));
}

// Writes as a program would: the first byte of each block, or every page of a larger one.
void touch(void* block, std::size_t size_bytes) {
  constexpr std::size_t page_bytes = 4096;
  for (std::size_t at = 0; at < size_bytes; at += page_bytes) {
    static_cast<char*>(block)[at] = 1;
  }
  benchmark::DoNotOptimize(block);
}

void operations(benchmark::State& state, Count per_iteration) {
  state.SetItemsProcessed(state.iterations() * per_iteration);
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

// --- Batches: beyond what a cache of any size holds, misses
// ----------------------------------------

enum class Order { lifo, fifo, random };

template <Order order>
void batch(benchmark::State& state) {
  constexpr std::size_t size_bytes = 64;
  const auto count = static_cast<std::size_t>(state.range(0));
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
      touch(block, 1);
    }
    for (const std::size_t place : places) {
      std::free(blocks[place]);
    }
  }
  operations(state, state.range(0));
}

// --- Long-lived objects
// -----------------------------------------------------------------------------

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

// --- Two threads
// ------------------------------------------------------------------------------------

// One thread allocates, the other frees: every block dies far from home.
class Ring {
 public:
  bool push(void* block) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head - tail_.load(std::memory_order_acquire) == slots_.size()) {
      return false;
    }
    slots_[head % slots_.size()] = block;
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  bool pop(void*& block) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail == head_.load(std::memory_order_acquire)) {
      return false;
    }
    block = slots_[tail % slots_.size()];
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }

 private:
  std::array<void*, 1024> slots_{};
  alignas(64) std::atomic<std::size_t> head_{0};
  alignas(64) std::atomic<std::size_t> tail_{0};
};

void producer_consumer(benchmark::State& state) {
  const std::size_t size_bytes = size_of(state);
  Ring ring;
  std::thread consumer([&ring] {
    void* block = nullptr;
    do {  // the producer ends with a null pointer
      while (!ring.pop(block)) {
        std::this_thread::yield();
      }
      std::free(block);
    } while (block != nullptr);
  });
  const auto send = [&ring](void* block) {
    while (!ring.push(block)) {
      std::this_thread::yield();
    }
  };
  for (auto _ : state) {
    void* block = std::malloc(size_bytes);
    touch(block, 1);
    send(block);
  }
  send(nullptr);
  consumer.join();
  operations(state, 1);
}

void register_rows() {
  benchmark::RegisterBenchmark("pair", pair)
      ->Arg(16)
      ->Arg(64)
      ->Arg(256)
      ->Arg(1024)
      ->Arg(4096)
      ->Arg(32768)
      ->Arg(65536)
      ->Arg(1 << 20);
  benchmark::RegisterBenchmark("calloc", pair_zeroed)->Arg(64)->Arg(4096)->Arg(1 << 20);
  benchmark::RegisterBenchmark("aligned_4096", pair_aligned)->Arg(4096)->Arg(65536);
  benchmark::RegisterBenchmark("batch_lifo", batch<Order::lifo>)->Arg(64)->Arg(256)->Arg(1024);
  benchmark::RegisterBenchmark("batch_fifo", batch<Order::fifo>)->Arg(64)->Arg(256)->Arg(1024);
  benchmark::RegisterBenchmark("batch_random", batch<Order::random>)->Arg(64)->Arg(256)->Arg(1024);
  benchmark::RegisterBenchmark("churn", churn)->Arg(10'000);
  benchmark::RegisterBenchmark("realloc_growth", grow_by_realloc)->Arg(1024)->Arg(1 << 18);
  benchmark::RegisterBenchmark("producer_consumer", producer_consumer)
      ->Arg(64)
      ->Arg(1024)
      ->UseRealTime();
}

// The file that malloc comes from, so that bench/run can see that it measured what it meant to.
const char* malloc_file() {
  Dl_info info;
  void* symbol = dlsym(RTLD_DEFAULT, "malloc");
  return symbol != nullptr && dladdr(symbol, &info) != 0 ? info.dli_fname : "unknown";
}

}  // namespace

int main(int argc, char** argv) {
  register_rows();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  benchmark::AddCustomContext("malloc", malloc_file());
  benchmark::RunSpecifiedBenchmarks();
}
