// The process's own allocator, behind malloc: one instance, opened by the first call, and each
// thread's cache.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "abi/hit_path.hpp"
#include "abi/report.hpp"
#include "cache/allocator.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

#if STRATA_CHECKED
#include "invariants/checker.hpp"
#include "sync/ordered.hpp"
#endif

namespace strata {

#if STRATA_CHECKED
using MallocPlan = plan::Marked<plan::Malloc>;
using ProcessHooks = CheckingHooks<AbortingHandler>;
using ProcessSync = OrderedSync<AbortingHandler>;
#else
using MallocPlan = plan::Malloc;
struct ProcessHooks : NoHooks {
  void report(const Report& report) { report_and_abort(report); }
};
using ProcessSync = NativeSync<true>;
#endif

using ProcessAllocator = Allocator<Heap<MallocPlan, Linux, ProcessSync, ProcessHooks>>;
using ProcessCache = ProcessAllocator::Cache;

// Segments of the address space that malloc asks for: 256 GiB.
inline constexpr std::uint32_t process_segments = 256;

extern template class Heap<MallocPlan, Linux, ProcessSync, ProcessHooks>;
extern template class Allocator<ProcessAllocator::Heap>;

extern constinit Storage<ProcessAllocator> process_storage;
inline ProcessAllocator& process_allocator() { return process_storage.allocator; }

// A thread's cache, as the distance from the unborn cache: zero, which is what a new thread has,
// stands for that one, with no relocation that early callers could miss.
extern constinit thread_local std::ptrdiff_t cache_distance
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

// What the hit paths need to know of the process.
struct Process {
  static ProcessAllocator& allocator() { return process_allocator(); }
  static ProcessCache* cache() { return process_storage.cache_at(cache_distance); }
  // Out of line; they may make the thread's cache. Null, with errno ENOMEM, on failure.
  static void* malloc_miss(std::size_t size_bytes) noexcept;
  static void free_miss(void* pointer) noexcept;
};

// Marks that the thread is inside a call that may hold locks, or have changed the books halfway: a
// signal's handler that ends the program there finds them so.
class InCall {
 public:
  InCall() {
    depth_ = depth_ + 1;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // with a handler in this thread
  }
  ~InCall() {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    depth_ = depth_ - 1;
  }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;

  static bool any() { return depth_ != 0; }

 private:
  static constinit thread_local volatile std::uint32_t depth_
      __attribute__((tls_model("initial-exec"), visibility("hidden")));
};

// The calling thread's cache, made if it has none yet; the process's allocator is opened if need
// be.
ProcessCache* own_cache();
// For what the thread frees: the dead cache for its first frees, if it has none of its own yet.
// glibc frees in a thread whose key destructors have run; a cache made then would never be given
// back.
ProcessCache* own_cache_to_free();

}  // namespace strata
