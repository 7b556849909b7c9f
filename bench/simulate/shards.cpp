// How often threads meet, by their number: malloc's heap on a simulated machine of 2 to 256
// processors with a thread each, with one shard of the bins of items and with all. Prints what an
// operation costs in locks, in waiting for them and in lines of memory that move, and fails unless
//
// - threads that free what they allocate take less than half as many locks again for being many,
// - shards, where they ship, take less than a quarter longer than one, from 64 threads on a quarter
//   less, and less than 2.5 times the locks.
#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <queue>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bench/programs/program.hpp"
#include "bench/simulate/machine.hpp"
#include "cache/allocator.hpp"
#include "hooks/none.hpp"
#include "memory/linux.hpp"
#include "plan/plan.hpp"

namespace strata::bench {
namespace {

// Address space and books; the memory that is handed out is never touched.
struct SimulatedMemory : Linux {
  static inline std::uint32_t said_processors = 1;  // how many shards there are to be
  static std::uint32_t processors() { return said_processors; }
  static std::uint64_t now_ms() { return Machine::current().now_ns() / 1'000'000; }
  void populate(Space, std::uint64_t, std::uint64_t) {}
  void advise(Space, std::uint64_t, std::uint64_t, Pages) {}
};

void require(bool is_there, const char* what) {
  if (!is_there) {
    throw std::runtime_error(fmt::format("the simulated heap needs {}", what));
  }
}

using Simulated = Allocator<Heap<plan::Malloc, SimulatedMemory, SimulatedSync, NoHooks>>;

// A thread's share of the work: it keeps some objects, and replaces one after the other by another;
// what it replaces it frees, or hands to the next thread to free.
class Thread {
 public:
  static constexpr std::size_t live = 2000;

  Thread(Simulated& allocator, std::uint64_t seed)
      : allocator_(allocator), cache_(allocator.attach()), random_(seed), objects_(live) {
    require(cache_->has_magazines(), "a cache for each thread");
  }

  std::deque<Address>& inbox() { return inbox_; }

  // An allocation and a free.
  void replace(std::deque<Address>* next) {
    Address& place = objects_[random_.below(live)];
    const Address old = std::exchange(place, allocator_.allocate(cache_, common_size(random_)));
    require(place != 0, "memory for each thread's objects");
    if (next != nullptr && old != 0) {
      next->push_back(old);
    } else {
      allocator_.deallocate(cache_, old);
    }
    while (!inbox_.empty()) {
      allocator_.deallocate(cache_, inbox_.front());
      inbox_.pop_front();
    }
    Machine::current().pass(2 * Machine::hit_ns);
  }

 private:
  Simulated& allocator_;
  Simulated::Cache* cache_;
  Random random_;
  std::vector<Address> objects_;
  std::deque<Address> inbox_;
};

struct Turn {
  std::uint64_t at_ns;
  std::uint32_t thread;
  auto operator<=>(const Turn&) const = default;
};

// Of an operation, malloc or free.
struct Cost {
  double acquired, waited, moved;
  double time_ns;
};

Cost cost_of(std::uint32_t threads_count, std::uint32_t shards, bool handed_over) {
  constexpr std::uint64_t warm_up = 20000, measured = 20000;  // replacements of each thread
  Machine machine(threads_count);
  SimulatedMemory::said_processors = shards;
  Simulated allocator;
  require(allocator.open(256) && allocator.heap().shards() == shards, "address space of 256 GiB");
  std::vector<Thread> threads;
  for (std::uint32_t i = 0; i < threads_count; ++i) {
    machine.run_on(i);
    threads.emplace_back(allocator, i);
  }
  const auto run = [&](std::uint64_t replacements) {
    // Whoever is behind goes on.
    std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
    for (std::uint32_t i = 0; i < threads_count; ++i) {
      turns.push({machine.now_ns(i), i});
    }
    for (std::uint64_t i = 0; i < replacements * threads_count; ++i) {
      const std::uint32_t thread = turns.top().thread;
      turns.pop();
      machine.run_on(thread);
      threads[thread].replace(handed_over ? &threads[(thread + 1) % threads_count].inbox()
                                          : nullptr);
      turns.push({machine.now_ns(thread), thread});
    }
  };
  run(warm_up);
  const std::uint64_t start_ns = machine.start();
  run(measured);
  const double operations = 2.0 * measured * threads_count;
  const auto share = [&](std::uint64_t count) { return static_cast<double>(count) / operations; };
  const Machine::Counts& counts = machine.counts();
  allocator.close();
  return {share(counts.acquired), share(counts.waited), share(counts.moved),
          share((machine.latest_ns() - start_ns) * threads_count)};
}

// Where shards ship: whether they are worth having beside a single one.
bool is_worth(const Cost& shards, const Cost& one, std::uint32_t threads) {
  return shards.acquired < 2.5 * one.acquired &&
         shards.time_ns < (threads < 64 ? 1.25 : 0.75) * one.time_ns;
}

void print_row(std::uint32_t threads, std::uint32_t shards, const Cost& cost) {
  fmt::print("{:>8}{:>8}{:>12.2f}{:>12.2f}{:>12.2f}{:>10.1f}\n", threads, shards,
             1000 * cost.acquired, 1000 * cost.waited, 1000 * cost.moved, cost.time_ns);
}

// Prints a table; whether what is said above holds of it.
bool show(bool handed_over) {
  fmt::print("Each object is freed by {} thread. Of 1,000 operations:\n",
             handed_over ? "the next" : "its own");
  fmt::print("{:>8}{:>8}{:>12}{:>12}{:>12}{:>10}\n", "threads", "shards", "locks", "waited for",
             "lines moved", "ns each");
  constexpr std::uint32_t shards_max = plan::Malloc::shards_max;
  double locks_of_two = 0;
  bool good = true;
  for (std::uint32_t threads = 2; threads <= Machine::processors_max; threads *= 2) {
    const Cost one = cost_of(threads, 1, handed_over);
    const Cost all = cost_of(threads, shards_max, handed_over);
    print_row(threads, 1, one);
    print_row(threads, shards_max, all);
    const bool are_shipped = threads >= Opening<Simulated::Heap>::sharded_processors_min;
    const Cost& shipped = are_shipped ? all : one;
    locks_of_two = threads == 2 ? shipped.acquired : locks_of_two;
    const bool holds = (handed_over || shipped.acquired < 1.5 * locks_of_two) &&
                       (!are_shipped || is_worth(all, one, threads));
    if (!holds) {
      fmt::print("^ too many locks, or shards that do not pay\n");
    }
    good = good && holds;
  }
  return good;
}

}  // namespace
}  // namespace strata::bench

int main() try {
  const bool own = strata::bench::show(false);
  const bool handed_over = strata::bench::show(true);
  return own && handed_over ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "strata_shards: %s\n", error.what());
  return 1;
}
