// The rows of strata_micro that take more than one thread.
#include <algorithm>
#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/micro.hpp"

namespace strata::bench {

namespace {

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

// Every thread frees what every thread allocated: all put into one table and take from it at
// random.
void all_to_all(benchmark::State& state) {
  static std::array<std::atomic<void*>, 4096> table;
  const std::size_t size_bytes = size_of(state);
  Random random(static_cast<unsigned>(state.thread_index() + 1));
  for (auto _ : state) {
    void* block = std::malloc(size_bytes);
    touch(block, 1);
    std::free(table[random() % table.size()].exchange(block));
  }
  operations(state, 1);
}

// A thread that is born, allocates a little, and ends: what its cache costs.
void thread_churn(benchmark::State& state) {
  constexpr std::size_t objects = 100;
  for (auto _ : state) {
    std::thread([] {
      std::array<void*, objects> blocks{};
      for (std::size_t i = 0; i < objects; ++i) {
        blocks[i] = std::malloc(16 + i * 8);
        touch(blocks[i], 1);
      }
      std::ranges::for_each(blocks, std::free);
    }).join();
  }
  operations(state, 1);
}

}  // namespace

void register_threads() {
  benchmark::RegisterBenchmark("producer_consumer", producer_consumer)
      ->Arg(64)
      ->Arg(1024)
      ->UseRealTime();
  benchmark::RegisterBenchmark("all_to_all", all_to_all)->Arg(64)->Threads(2)->UseRealTime();
  benchmark::RegisterBenchmark("thread_churn", thread_churn)->UseRealTime();
}

}  // namespace strata::bench
