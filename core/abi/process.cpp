#include "abi/process.hpp"

#include <pthread.h>
#include <sched.h>

#include <cerrno>
#include <cstdlib>

#include "abi/options.hpp"
#include "include/strata/strata.h"
#include "sync/start_up.hpp"

// glibc's own, of no header; absent from other C libraries.
extern "C" {
[[gnu::weak]]
void _IO_list_lock();
[[gnu::weak]]
void _IO_list_unlock();
[[gnu::weak]]
void _IO_list_resetlock();
}

namespace strata {

template class Heap<MallocPlan, Linux, ProcessSync, ProcessHooks>;
template class Allocator<ProcessAllocator::Heap>;

constinit Storage<ProcessAllocator> process_storage;
constinit thread_local std::ptrdiff_t cache_distance = 0;
constinit thread_local volatile std::uint32_t InCall::depth_ = 0;

namespace {

// glibc's own in a thread that ends are a few.
constexpr std::uint32_t frees_without_cache_max = 32;
constinit thread_local std::uint32_t frees_without_cache __attribute__((tls_model("initial-exec")));

// A thread that was refused a cache (no slot is left, or no memory) asks again after so many
// misses.
constexpr std::uint32_t misses_between_attempts = 256;
constinit thread_local std::uint32_t misses_to_wait __attribute__((tls_model("initial-exec")));

// In the earliest constructor or in the first call, whichever comes first. Complete: with an exit
// key.
constinit StartUp<ProcessSync> start_up;
constinit pthread_key_t exit_key{};
constinit bool is_forked = false;

void install(ProcessCache* cache) {
  cache_distance = reinterpret_cast<const std::byte*>(cache) -
                   reinterpret_cast<const std::byte*>(&process_storage);
}

// What the thread frees from now on (glibc's own clean-up, later destructors) goes to the bins.
void on_thread_exit(void* cache) {
  install(ProcessAllocator::dead());
  process_allocator().detach(static_cast<ProcessCache*>(cache));
}

// A library whose constructor ran before ours may have handlers that run between these, and
// allocate.
//
// glibc's fork takes the lock of stdio's list of streams after these handlers have run. Who has
// that lock may wait for a stream, and who has the stream for the heap: so it is taken first, here.
// (It is recursive.)
void before_fork() {
  if (_IO_list_lock != nullptr) {
    _IO_list_lock();
  }
  process_allocator().fork_prepare();
  holds_every_lock = true;
}
void after_fork_in_parent() {
  holds_every_lock = false;
  process_allocator().fork_parent();
  if (_IO_list_unlock != nullptr) {
    _IO_list_unlock();
  }
}
void after_fork_in_child() {
  is_forked = true;
  holds_every_lock = false;
  process_allocator().fork_child(Process::cache());
  if (_IO_list_resetlock != nullptr) {
    _IO_list_resetlock();
  }
}

void apply_options() {
  const char* const text = secure_getenv("STRATA_OPTIONS");  // null in a set-user-id program
  if (text == nullptr) {
    return;
  }
  const ParsedOptions parsed = parse_options(text);
  if (!parsed.wrong.empty()) {
    reject_option(parsed.wrong, parsed.remedy);
  }
#if STRATA_CHECKED
  process_allocator().heap().hooks.set_period(parsed.options.check);
#else
  if (*text != '\0') {  // there is no option but check
    pass_over_option(text, "preload or link libstrata-checked.so instead");
  }
#endif
}

void open_process() {
  if (!start_up.begin([] { sched_yield(); })) {
    return;
  }
  // A failure leaves a heap of no bytes: every request is refused with ENOMEM.
  const bool is_open = process_allocator().open(process_segments);
  // Before what follows, which may allocate.
  start_up.reach(StartStage::usable);
  apply_options();
  if (!is_open) {
    return;
  }
  if (pthread_key_create(&exit_key, on_thread_exit) == 0) {
    start_up.reach(StartStage::complete);
  }
  // Fails for want of memory alone, and what it wants a heap that has just been opened has.
  (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

// Ahead of every other constructor of its object, so that fork finds the handlers registered, and
// ours run with most others' prepare handlers done: those may wait for threads that allocate.
[[gnu::constructor(101)]]
void open_early() {
  open_process();
}

// The last frees of a short program are still in a magazine: a bad one among them is reported now
// or never. What later destructors free, those of libraries, goes to the bins. A forked child would
// copy the pages of books that its parent goes on with, and has freed little of its own.
[[gnu::destructor(101)]]
void look_at_last_frees() {
  if (!is_forked && !InCall::any()) {
    process_allocator().flush(Process::cache());
    install(ProcessAllocator::dead());
  }
}

}  // namespace

ProcessCache* own_cache() {
  if (cache_distance != 0) {
    return Process::cache();
  }
  if (start_up.stage() < StartStage::usable) {
    open_process();
  }
  if (cache_distance != 0) {
    return Process::cache();  // opening allocated, and came here
  }
  if (start_up.stage() < StartStage::complete) {
    // The very first calls, or no key left: nothing that would have to be given back at exit.
    return ProcessAllocator::dead();
  }
  if (misses_to_wait > 0) {
    --misses_to_wait;
    return ProcessAllocator::dead();
  }
  ProcessCache* const cache = process_allocator().attach();
  if (!cache->has_magazines()) {
    misses_to_wait = misses_between_attempts;
    return cache;
  }
  install(cache);  // before the call below, which may allocate
  if (pthread_setspecific(exit_key, cache) != 0) {
    install(ProcessAllocator::dead());
    process_allocator().detach(cache);
  }
  return Process::cache();
}

ProcessCache* own_cache_to_free() {
  const bool may_be_late = cache_distance == 0 && start_up.stage() == StartStage::complete &&
                           frees_without_cache < frees_without_cache_max;
  if (may_be_late) {
    ++frees_without_cache;
    return ProcessAllocator::dead();
  }
  return own_cache();
}

}  // namespace strata

#pragma GCC visibility push(default)
extern "C" {

void strata_bounds_now(strata_bounds* bounds) {
  const strata::InCall in_call;
  (void)strata::own_cache();  // opens the process's allocator
  strata::ProcessAllocator& allocator = strata::process_allocator();
  *bounds = allocator.is_open() ? allocator.bounds() : strata_bounds{};
}

void strata_purge() {
  const strata::InCall in_call;
  strata::ProcessCache* const cache = strata::own_cache();
  if (strata::process_allocator().is_open()) {
    strata::process_allocator().purge(cache);
  }
}

int strata_validate() {
  using namespace strata;
  const InCall in_call;
  ProcessCache* const cache = own_cache();
  ProcessAllocator& allocator = process_allocator();
  return !allocator.is_open() || allocator.validate(Quiet::no, cache) ? 1 : 0;
}

}  // extern "C"
#pragma GCC visibility pop
