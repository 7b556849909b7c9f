// The allocator: magazines over a heap. Everything that replaces malloc, and every check, drives
// this; malloc's and free's entry points inline its hit paths (abi/hit_path.hpp).
//
// Each call names the calling thread's cache; a cache belongs to one thread at a time. Any cache
// may be the dead one, which holds nothing: then each call goes to the bins.
#pragma once

#include <cstddef>

#include "cache/exchange.hpp"
#include "cache/fork_locks.hpp"
#include "cache/opening.hpp"
#include "cache/registry.hpp"
#include "include/strata/strata.h"
#include "invariants/validate.hpp"

namespace strata {

template <class HeapT>
class Allocator {
 public:
  using Heap = HeapT;
  using Plan = typename Heap::Plan;
  using Class = typename Heap::Class;
  using Layout = typename Heap::Layout;
  using Cache = strata::Cache<Plan>;
  using Limits = Magazines<Plan>;
  using Blocks = BlockMagazines<Plan>;

  // A block that realloc moves and that is this large has grown more than once.
  static constexpr std::uint64_t grown_bytes_min = std::uint64_t{256} << 10;
  // A block this many times too large is one that shrank: growth leaves it smaller.
  static constexpr std::uint64_t resize_slack = 4;

  // From here on, asking the system for zeros costs no more than writing them, and what the program
  // does not touch costs nothing.
  static constexpr std::uint64_t dropped_bytes_min = Plan::region_bytes;

  // From here on, getting pages in one call before they are written is worth the call: half the
  // time of a fault each.
  static constexpr std::uint64_t populated_bytes_min = Plan::chunk_bytes;

  // --- Start and end: not thread-safe ---------------------------------------------------------

  // Reserves `segments` segments (1 to 32,768), or what the system grants: half of that, and so on
  // down to two regions. false: nothing could be reserved.
  bool open(std::uint32_t segments) { return Opening<Heap>(heap_, registry_).reserve(segments); }
  void close() { heap_.close(); }
  bool is_open() const { return heap_.heap_bytes != 0; }

  Heap& heap() { return heap_; }

  // --- Threads --------------------------------------------------------------------------------

  // A cache for the calling thread; the dead one if there is no room for another.
  Cache* attach() {
    Cache* const cache = registry_.take();
    return cache != nullptr ? cache : dead();
  }

  // Gives what the cache holds back to the bins, which look at each pointer. It stays the thread's.
  void flush(Cache* cache) {
    Reports reports;
    Exchange(heap_, *cache, reports).give_back();
    finish(reports);
  }

  // Gives back what the cache holds, and the cache.
  void detach(Cache* cache) {
    if (!cache->has_magazines()) {
      return;
    }
    Reports reports;
    Exchange(heap_, *cache, reports).give_back();
    registry_.put(cache);
    heap_.relieve(Plan::unused);
    finish(reports);
  }

  static Cache* dead() { return const_cast<Cache*>(&dead_cache); }

  // --- The hit paths: whatever is allocated or freed comes by here first ------------------------

  // What the thread's magazine has for the size, or 0: then it is for allocate_miss.
  [[gnu::always_inline]]
  Address allocate_hit(Cache* cache, std::uint64_t size_bytes) {
    const Address address = cache->pop(Plan::magazine_of_size(size_bytes));
    if (address != 0) [[likely]] {
      heap_.hooks.allocated(heap_, address, size_bytes);
    }
    return address;
  }

  // Whether nothing is left to do: the magazine has it, or the hooks have reported it. What is
  // left is for deallocate_miss, the hooks having seen it if it lies in the heap. `cache()` is
  // asked for last: looked up any sooner, it costs the process's free an instruction.
  template <class CacheOf>
  [[gnu::always_inline]]
  bool deallocate_hit(CacheOf cache, Address address) {
    const std::uint64_t offset = address - heap_.base;
    if (!heap_.contains(offset)) [[unlikely]] {
      return false;
    }
    if (!heap_.hooks.deallocating(heap_, address)) {
      return true;
    }
    const Class cls = heap_.class_at(offset);
    return cache()->push(cls, address);
  }

  // --- Allocating -----------------------------------------------------------------------------

  // `size_bytes` or more, aligned to 16 bytes at least. 0 when nothing is left or the request can
  // never be met. (`align_bytes` is for allocate_aligned, whose sizes are rounded for it.)
  Address allocate(Cache* cache, std::uint64_t size_bytes, std::uint64_t align_bytes = 1) {
    const Address address = allocate_hit(cache, size_bytes);
    return address != 0 ? address : allocate_miss(cache, size_bytes, align_bytes).address;
  }

  // `align_bytes` is a power of two; above a segment the answer is 0.
  Address allocate_aligned(Cache* cache, std::uint64_t size_bytes, std::uint64_t align_bytes) {
    const std::uint64_t size = Plan::aligned_size(size_bytes, align_bytes);
    return size == 0 ? 0 : allocate(cache, size, align_bytes);
  }

  // As allocate, and says whether the memory is known to be zero.
  Allocation allocate_known(Cache* cache, std::uint64_t size_bytes) {
    return size_bytes <= Plan::item_bytes_max ? Allocation{allocate(cache, size_bytes), false}
                                              : allocate_miss(cache, size_bytes);
  }

  // For what realloc moves: a block that has grown before gets one of two to four times the size,
  // so that it seldom moves again; what it does not touch of that costs nothing. Where that is
  // refused, and for all else, as allocate_known. (Not a run: its length is what is committed,
  // counted as live and trimmed, and what is not asked for of it nobody could take back.)
  Allocation allocate_grown(Cache* cache, std::uint64_t old_usable, std::uint64_t size_bytes) {
    const bool has_grown = old_usable >= grown_bytes_min && size_bytes > old_usable;
    if (has_grown && size_bytes <= Plan::segment_bytes / 2) {
      const std::uint64_t bytes = 2 * size_bytes;
      Address address = 0;
      const Taken taken = heap_.take({Plan::class_for(bytes), bytes}, &address + 1, 1);
      if (taken.count > 0) {
        heap_.hooks.allocated(heap_, address, size_bytes);
        heap_.hooks.settled(heap_);
        return {address, taken.known_zero};
      }
    }
    return allocate_known(cache, size_bytes);
  }

  // What the hit path could not serve; the process malloc calls it too, once it has a cache.
  [[gnu::noinline]]
  Allocation allocate_miss(Cache* cache, std::uint64_t size_bytes, std::uint64_t align_bytes = 1) {
    if (size_bytes > heap_.heap_bytes || !is_open()) {
      return {};
    }
    const Request request = {Plan::class_for(size_bytes), std::max<std::uint64_t>(size_bytes, 1),
                             align_bytes, heap_.shard_of_cache(cache->slot)};
    if (Blocks::has(request.cls)) {
      if (const Address block = cache->blocks.pop(request.cls)) {
        if (cache->blocks.is_time_to_purge()) {
          heap_.purge_if_due();
        }
        heap_.hooks.allocated(heap_, block, size_bytes);
        return {block, false};
      }
    }
    heap_.purge_if_due();
    Reports reports;
    const Allocation allocation = Exchange(heap_, *cache, reports).take(request);
    if (allocation.address != 0) {
      heap_.hooks.allocated(heap_, allocation.address, size_bytes);
    }
    finish(reports);
    return allocation;
  }

  // --- Giving back ----------------------------------------------------------------------------

  // 0 is nothing to do. A pointer that is not a live allocation of this heap is reported when the
  // hooks or the books see it: the books at once for blocks and runs, for items when they leave the
  // magazine.
  void deallocate(Cache* cache, Address address) {
    if (!deallocate_hit([=] { return cache; }, address)) [[unlikely]] {
      deallocate_miss(cache, address);
    }
  }

  // The same of what deallocate_hit left: free comes here once the thread has a cache.
  void take_back(Cache* cache, Address address) {
    const std::uint64_t offset = address - heap_.base;
    if (!heap_.contains(offset) || !cache->push(heap_.class_at(offset), address)) {
      deallocate_miss(cache, address);
    }
  }

  [[gnu::noinline]]
  void deallocate_miss(Cache* cache, Address address) {
    if (address == 0) {
      return;
    }
    const std::uint64_t offset = address - heap_.base;
    const Class cls =
        Plan::bin_class(heap_.contains(offset) ? heap_.class_at(offset) : Plan::unused);
    if (Blocks::has(cls) && keep_block(cache, cls, address)) {
      return;
    }
    Reports reports;
    Exchange(heap_, *cache, reports).give(cls, address);
    if (is_open()) {
      heap_.relieve(Plan::is_run(cls) ? plan::Bin{Plan::unused} : heap_.bin_at(offset, cls));
    }
    finish(reports);
  }

  // --- What an allocation is ------------------------------------------------------------------

  // Bytes that may be used of a live allocation; 0 if the address cannot be the start of one.
  std::uint64_t usable_bytes(Address address) { return heap_.usable_bytes(address); }

  // Whether the live allocation can serve `size_bytes` where it is, without wasting half of it. Of
  // a block three quarters may be left over, as they are when it has just grown; up to seven
  // eighths if the rest goes back to the system. Of a run any part may, if what is left is one: it
  // goes back from an eighth on.
  bool resize_in_place(Address address, std::uint64_t size_bytes) {
    const std::uint64_t usable = heap_.usable_bytes(address);
    if (size_bytes > usable) {
      return usable > Plan::item_bytes_max && heap_.extend(address, size_bytes);
    }
    const bool was_run = usable > Plan::segment_bytes;
    const bool is_kept = size_bytes > (was_run ? usable - usable / 8 : usable / 2);
    if (is_kept || usable == Plan::item_bytes_min) {
      return true;
    }
    const bool stays_run = size_bytes > Plan::segment_bytes;
    if (Plan::is_item(Plan::class_for(size_bytes)) ||
        (size_bytes <= usable / (2 * resize_slack) && !stays_run)) {
      return false;
    }
    if (size_bytes <= usable / resize_slack || was_run) {
      (void)heap_.trim(address, size_bytes, usable);
    }
    return true;
  }

  // The first `bytes` of a live allocation are about to be written, from end to end.
  void expect_copy(Address address, std::uint64_t bytes) {
    if (bytes >= populated_bytes_min) {
      const std::uint64_t begin = address - heap_.base;
      heap_.populate({begin, round_up(begin + bytes, Plan::page_bytes)});
    }
  }

  // Makes all of a large allocation zero, at no cost for what is not resident; false: it is none,
  // or the system refused, and zeros have to be written.
  bool drop_contents(Address address, std::uint64_t size_bytes) {
    return size_bytes > dropped_bytes_min && heap_.trim(address, 0, heap_.usable_bytes(address));
  }

  // As usable_bytes, of the pointer that realloc is given. 0, and a report, if it is known not to
  // be live: to the books if it is a block or a run, to the cache if it holds the block, to hooks
  // that know.
  std::uint64_t usable_or_report(Cache* cache, Address address) {
    const std::uint64_t usable = heap_.usable_bytes(address);
    const bool is_item = usable - 1 < Plan::item_bytes_max;
    if (is_item && heap_.hooks.holds(heap_, address)) [[likely]] {
      return usable;
    }
    const Problem problem = usable == 0                                 ? what_is_wrong(address)
                            : is_item || is_freed_block(cache, address) ? Problem::double_free
                                                                        : Problem::none;
    if (problem == Problem::none) {
      return usable;
    }
    heap_.hooks.report(heap_.describe_pointer(problem, address));
    return 0;
  }

  // --- The whole ------------------------------------------------------------------------------

  // Gives everything free, this thread's magazines included, back to the system.
  void purge(Cache* cache) {
    Reports reports;
    Exchange(heap_, *cache, reports).give_back();
    heap_.purge();
    registry_.purge();
    finish(reports);
  }

  // Recomputes every invariant from scratch; violations are reported. True if there are none.
  // Quiet::yes: no other thread is inside a call, so that all caches are looked at; otherwise
  // `mine` alone.
  bool validate(Quiet quiet, Cache* mine = dead()) {
    Reports reports;
    {
      const auto lock = registry_.lock();
      const typename Heap::AllLocks all(heap_);
      Validator<Heap> validator(heap_, reports);
      validator.books();
      if (quiet == Quiet::yes) {
        registry_.each([&](Cache* cache) { validate_held(validator, cache); });
      } else if (mine->has_magazines()) {
        validate_held(validator, mine);
      }
    }
    const bool sound = reports.count() == 0;
    reports.deliver(heap_.hooks);
    return sound;
  }

  // What the bounds that README states come to now. O(slots).
  strata_bounds bounds() {
    const typename Heap::AllLocks all(heap_);
    Reports none;
    const auto& control = heap_.books.control();
    const Range present = heap_.memory.present();  // which the registry was opened for
    return {
        .heap_bytes = (control.end_slot - control.first_slot) * Plan::region_bytes,
        .mappings = Validator<Heap>(heap_, none).mappings_now(),
        .mappings_max = heap_.books.layout().mappings_max(),
        .thread_cache_bytes = Limits::thread_bytes_max(),
        .threads_max = Registry::slots_for(present.end - present.begin),
        .live_bytes = heap_.live_bytes(),
        .dirty_bytes = heap_.dirty_bytes(),
    };
  }

  // --- Fork: call in the handlers of pthread_atfork -------------------------------------------

  void fork_prepare() { fork_locks_.acquire(heap_, registry_); }
  void fork_parent() { fork_locks_.release(); }
  // The child has one thread, with the cache `survivor`. What the others' magazines held is lost:
  // at most Limits::thread_bytes_max() for each.
  void fork_child(Cache* survivor) {
    fork_parent();
    const role::Alone alone;
    registry_.each([&](Cache* cache) {
      if (cache != survivor) {
        registry_.put(cache);
      }
    });
  }

 private:
  using Registry = strata::Registry<Heap>;

  // The end of every operation that took locks.
  void finish(Reports& reports) {
    heap_.hooks.settled(heap_);
    reports.deliver(heap_.hooks);
  }

  // Of an address that `usable_bytes` knows nothing of.
  Problem what_is_wrong(Address address) const {
    const std::uint64_t offset = address - heap_.base;
    return !heap_.contains(offset)                  ? Problem::foreign_pointer
           : heap_.class_at(offset) == Plan::unused ? Problem::unused_region
                                                    : Problem::interior_pointer;
  }
  bool is_freed_block(Cache* cache, Address address) {
    const Class cls = Plan::bin_class(heap_.class_at(address - heap_.base));
    return (Blocks::has(cls) && cache->blocks.contains(cls, address)) || !heap_.looks_live(address);
  }

  // The magazine keeps a block that is new to it and that the books have in use.
  bool keep_block(Cache* cache, Class bin, Address address) {
    Blocks& blocks = cache->blocks;
    if (!cache->has_magazines() || blocks.is_full(bin) || blocks.contains(bin, address) ||
        !heap_.is_used(bin, address)) {
      return false;
    }
    blocks.push(bin, address);
    heap_.hooks.settled(heap_);
    return true;
  }

  void validate_held(Validator<Heap>& validator, Cache* cache) {
    cache->each_magazine([&](Class bin, const Address* pointers, std::uint32_t count) {
      validator.held(bin, pointers, count);
    });
  }

  static constexpr Cache dead_cache{};

  Heap heap_{};
  Registry registry_{heap_};
  ForkLocks<Heap> fork_locks_;
};

}  // namespace strata
