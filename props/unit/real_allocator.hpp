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

}  // namespace strata::check
