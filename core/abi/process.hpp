// The process's own allocator, behind malloc: one instance, opened by the first call, and each
// thread's cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "abi/report.hpp"
#include "cache/allocator.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

#if STRATA_CHECKED
#include "hooks/checker.hpp"
#include "sync/ordered.hpp"
#endif

namespace strata {

using MallocPlan = plan::Pow2;

#if STRATA_CHECKED
using ProcessHooks = CheckingHooks<AbortingHandler>;
using ProcessSync = OrderedSync<AbortingHandler>;
#else
struct ProcessHooks : NoHooks {
  void report(const Report& report) { report_and_abort(report); }
};
using ProcessSync = NativeSync<true>;
#endif

using ProcessAllocator = Allocator<Heap<MallocPlan, Linux, ProcessSync, ProcessHooks>>;
using ProcessCache = ProcessAllocator::Cache;

// Segments of the address space that malloc asks for: 256 GiB.
inline constexpr std::uint32_t process_segments = 256;

// malloc works before constructors and after destructors run: never destroyed.
struct ProcessStorage {
  constexpr ProcessStorage() : unborn(), allocator() {}
  ~ProcessStorage() {}

  // The cache of a thread that has none yet: all zeros for ever, so that nothing can be popped from
  // it or pushed to it. It stands first so that one address register serves it and the allocator.
  ProcessCache unborn;
  union {
    ProcessAllocator allocator;
  };
};
extern constinit ProcessStorage process_storage;
inline ProcessAllocator& process_allocator() { return process_storage.allocator; }

// A thread's cache, as the distance from the unborn cache: zero, which is what a new thread has,
// stands for that one, with no relocation that early callers could miss.
extern constinit thread_local std::ptrdiff_t cache_distance
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

inline ProcessCache* current_cache() {
  auto* const unborn = reinterpret_cast<std::byte*>(&process_storage);
  return reinterpret_cast<ProcessCache*>(unborn + cache_distance);
}

// The calling thread's cache, made if it has none yet; the process's allocator is opened if need be.
ProcessCache* own_cache();

}  // namespace strata
