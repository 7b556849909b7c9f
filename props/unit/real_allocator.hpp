// The allocator over real memory and real threads, with hooks that remember what is reported.
#pragma once

#include <mutex>
#include <vector>

#include "cache/allocator.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

namespace strata::check {

struct RememberingHooks : NoHooks {
  void report(const Report& report) {
    const std::lock_guard lock(mutex);
    reports.push_back(report);
  }
  std::mutex mutex;
  std::vector<Report> reports;
};

template <class Plan>
using RealAllocator = Allocator<Heap<Plan, Linux, NativeSync<false>, RememberingHooks>>;

// As on a machine with many processors, where there are shards.
template <std::uint32_t count>
struct SomeProcessors : Linux {
  static std::uint32_t processors() { return count; }
};
template <class Plan, std::uint32_t processors = 100>
using ShardedAllocator =
    Allocator<Heap<Plan, SomeProcessors<processors>, NativeSync<false>, RememberingHooks>>;

}  // namespace strata::check
