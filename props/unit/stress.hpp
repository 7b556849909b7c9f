// Threads that allocate, fill, hand over and free each other's memory; run under TSan and MSan as
// well, so nothing here is of a library that they did not compile.
#pragma once

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include "props/unit/real_allocator.hpp"

namespace strata::check {

// The first thing that went wrong in any thread.
class FirstFailure {
 public:
  void require(bool holds, const char* what) {
    const char* none = nullptr;
    if (!holds) {
      what_.compare_exchange_strong(none, what, std::memory_order_relaxed);
    }
  }
  // Null if all went well.
  const char* what() const { return what_.load(std::memory_order_relaxed); }

 private:
  std::atomic<const char*> what_{nullptr};
};

template <class Allocator>
class Stress {
  using Plan = typename Allocator::Plan;

 public:
  // What went wrong, or null. The allocator is empty before and after.
  static const char* run(Allocator& allocator) {
    Stress stress(allocator);
    stress.run();
    return stress.failure_.what();
  }

 private:
  static constexpr unsigned threads = 4;
  static constexpr int rounds = 30'000;

  using Cache = typename Allocator::Cache;

  struct Object {
    std::uint64_t size;
    std::uint64_t stamp;  // of every word that follows; plain data carried through the item
  };

  explicit Stress(Allocator& allocator) : allocator_(allocator) {}

  void run() {
    std::vector<std::thread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([this, i] { work(i + 1); });
    }
    for (int i = 0; i < 20; ++i) {
      failure_.require(allocator_.validate(Quiet::no), "validate() says no while threads work");
      std::this_thread::yield();
    }
    for (std::thread& worker : workers) {
      worker.join();
    }
    for (std::atomic<Object*>& box : boxes_) {
      allocator_.deallocate(allocator_.dead(), address_of(box.exchange(nullptr)));
    }
    allocator_.purge(allocator_.dead());
    failure_.require(allocator_.bounds().live_bytes <=
                         Plan::item_classes * allocator_.heap().shards() * Plan::chunk_bytes,
                     "more is left than the one empty chunk that each bin may keep");
    failure_.require(allocator_.heap().hooks.reports.empty(), "a good free was reported as bad");
  }

  void work(unsigned seed) {
    std::mt19937_64 random(seed);
    Cache* cache = allocator_.attach();
    for (int round = 0; round < rounds; ++round) {
      // Where one thread leaves objects for another.
      std::atomic<Object*>& box = boxes_[random() % boxes_.size()];
      Object* const got = box.exchange(make(cache, random), std::memory_order_acq_rel);
      if (got != nullptr) {
        check(got);
        allocator_.deallocate(cache, address_of(got));
      }
      if (round % 4096 == 4095) {  // a thread ends and another begins
        allocator_.detach(cache);
        cache = allocator_.attach();
      }
      if (round % 8192 == 8191) {
        allocator_.purge(cache);
      }
    }
    allocator_.detach(cache);
  }

  Object* make(Cache* cache, std::mt19937_64& random) {
    const std::uint64_t shift = random() % 1000 == 0 ? 14 + random() % 10 : 4 + random() % 9;
    const std::uint64_t size = sizeof(Object) + random() % (std::uint64_t{1} << shift);
    auto* const object = reinterpret_cast<Object*>(allocator_.allocate(cache, size));
    failure_.require(object != nullptr, "nothing was allocated");
    if (object != nullptr) {
      *object = {size, random()};
      for (std::size_t i = 0; i < words(object); ++i) {
        body(object)[i] = object->stamp;
      }
    }
    return object;
  }

  void check(Object* object) {
    for (std::size_t i = 0; i < words(object); ++i) {
      failure_.require(body(object)[i] == object->stamp, "an object lost its contents");
    }
  }

  static Address address_of(const Object* object) { return reinterpret_cast<Address>(object); }
  static std::uint64_t* body(Object* object) {
    return reinterpret_cast<std::uint64_t*>(object + 1);
  }
  static std::size_t words(const Object* object) {
    return std::min<std::size_t>(object->size - sizeof(Object), 256) / sizeof(std::uint64_t);
  }

  Allocator& allocator_;
  std::array<std::atomic<Object*>, 64> boxes_{};
  FirstFailure failure_;
};

}  // namespace strata::check
