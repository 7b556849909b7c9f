// What every part of the heap shares: the four seams, the books, and the locks that guard them.
//
// Lock order: commit, purge, bins by number, segments (group C too). What each guards is said in
// book/books.hpp, who holds what in the attributes of functions (sync/roles.hpp).
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cassert>

#include "book/books.hpp"
#include "hooks/none.hpp"
#include "hooks/report.hpp"
#include "memory/memory.hpp"
#include "sync/guard.hpp"

namespace strata {

template <class PlanT, class MemoryT, class SyncT, class HooksT>
struct State {
  using Plan = PlanT;
  using Memory = MemoryT;
  using Sync = SyncT;
  using Hooks = HooksT;
  using Books = strata::Books<Plan, Sync>;
  using Records = strata::Records<Plan, Sync>;
  using Layout = typename Books::Layout;
  using Class = plan::Class;
  using Bin = plan::Bin;
  using Shard = plan::Shard;
  using Mutex = typename Sync::Mutex;
  using CommitLock = Guard<Mutex, role::Commit>;
  using PurgeLock = Guard<Mutex, role::Purge>;
  using BinLock = Guard<Mutex, role::Bin>;
  using SegmentsLock = Guard<Mutex, role::Segments>;
  static_assert(sizeof(Mutex) <= Layout::line_bytes);
  static_assert(rank::first_bin + Plan::bins_for(Plan::shards_max) <= rank::segments);

  [[clang::acquire_capability(role::Commit::held), clang::no_thread_safety_analysis]]
  CommitLock lock_commit() {
    return CommitLock(mutex(0), rank::commit);
  }
  [[clang::acquire_capability(role::Purge::held), clang::no_thread_safety_analysis]]
  PurgeLock lock_purge() {
    return PurgeLock(mutex(1), rank::purge);
  }
  [[clang::acquire_capability(role::Purge::held), clang::no_thread_safety_analysis]]
  PurgeLock try_lock_purge() {
    return PurgeLock::try_lock(mutex(1), rank::purge);
  }
  [[clang::acquire_capability(role::Bin::held), clang::no_thread_safety_analysis]]
  BinLock lock_bin(Bin bin) {
    assert(bin < books.layout().bins_count());
    return BinLock(mutex(2 + bin), rank::first_bin + bin);
  }
  [[clang::acquire_capability(role::Segments::held), clang::no_thread_safety_analysis]]
  SegmentsLock lock_segments() {
    return SegmentsLock(mutex(2 + books.layout().bins_count()), rank::segments);
  }

  // Every lock but commit and purge, in order.
  struct [[clang::scoped_lockable]] AllBins {
    [[clang::acquire_capability(role::Bin::held, role::Segments::held),
      clang::no_thread_safety_analysis]]
    explicit AllBins(State& state) {
      for (Bin bin = 1; bin < state.books.layout().bins_count(); ++bin) {
        bins[bin] = state.lock_bin(bin);
      }
      segments = state.lock_segments();
    }
    AllBins(AllBins&&) = default;
    [[clang::release_capability()]]
    ~AllBins() = default;
    std::array<BinLock, Plan::bins_for(Plan::shards_max)> bins;
    SegmentsLock segments;
  };

  bool contains(std::uint64_t offset) const { return offset < heap_bytes; }
  Address address_of(std::uint64_t offset) const { return base + offset; }

  // The published class of the slot an offset lies in. Relaxed: stable for whoever holds an item
  // there (its hand-over orders the read); others read it again under the bin's lock.
  Class class_at(std::uint64_t offset) const {
    return class_of_region[Plan::slot_of(offset)].load(std::memory_order_relaxed);
  }
  // Written under the lock of the bin that the slot belongs to before or after the change; of a
  // run, under the segments lock.
  [[clang::requires_capability(role::Bin::held)]]
  void publish_class(std::uint32_t slot, Class cls) {
    publish(books.of_bins().region(slot), slot, cls);
  }
  [[clang::requires_capability(role::Segments::held)]]
  void publish_run(std::uint32_t slot, Class cls) {
    publish(books.of_segments().region(slot), slot, cls);
  }

  std::uint32_t shards() const { return Plan::shards_max == 1 ? 1 : books.layout().shards; }
  // The heap's slots take turns at shards, so that no record has to say which one it is of.
  Shard shard_of_slot(std::uint64_t slot) const {
    return static_cast<Shard>(slot / Plan::slots_per_turn) & (shards() - 1);
  }
  // And so do threads, in the order of their caches.
  Shard shard_of_cache(std::uint64_t slot) const {
    return static_cast<Shard>(slot) & (shards() - 1);
  }
  // How many bins a class has: those in so many shards, from the first on.
  std::uint32_t shards_of(Class bin_class) const { return Plan::is_item(bin_class) ? shards() : 1; }
  // The bin of the region of class `cls` that an offset lies in.
  Bin bin_at(std::uint64_t offset, Class cls) const {
    return Plan::bin_in(shard_of_slot(Plan::slot_of(offset)), Plan::bin_class(cls));
  }

  // What is free and dirty goes back on the first miss this long after the last time, but for what
  // was in use within that time.
  static constexpr std::uint64_t purge_delay_ms = 1000;
  static constexpr std::uint16_t quarters_per_delay = 4;
  // The time in quarters of that; wraps after some hours. Cheap enough to ask for under a lock: no
  // call of the system.
  std::uint16_t quarter() const {
    return static_cast<std::uint16_t>(memory.now_ms() / (purge_delay_ms / quarters_per_delay));
  }

  // What is known of a bad pointer. Reads only the class byte: any thread, any time.
  Report describe_pointer(Problem problem, Address address) const {
    Report report;
    report.problem = problem;
    report.address = address;
    const std::uint64_t offset = address - base;
    if (contains(offset)) {
      report.slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
      report.cls = class_at(offset);
      const Class bin = Plan::bin_class(report.cls);
      if (Plan::is_item(bin)) {
        report.unit_bytes = Plan::unit_bytes(bin);
        report.unit = Plan::chunk_in_region(offset);
        report.item = Plan::template item_index<std::uint64_t>(bin, Plan::byte_in_chunk(offset));
      } else if (Plan::is_block(bin)) {
        report.unit_bytes = Plan::unit_bytes(bin);
        const std::uint64_t region =
            Plan::is_small(report.cls) ? Plan::region_bytes : Plan::segment_bytes;
        report.unit = (offset % region) >> Plan::block_shift(bin);
      }
    }
    return report;
  }

  // Statistics, relaxed: exact only while every lock is held.
  std::uint64_t live_bytes() const {
    return books.control().live_bytes.load(std::memory_order_relaxed);
  }
  std::uint64_t dirty_bytes() const {
    return books.control().dirty_bytes.load(std::memory_order_relaxed);
  }
  // Moves `bytes` between the live, the dirty and the clean.
  void count_live(std::uint64_t bytes) { add(books.control().live_bytes, bytes); }
  void uncount_live(std::uint64_t bytes) { sub(books.control().live_bytes, bytes); }
  void count_dirty(std::uint64_t bytes) { add(books.control().dirty_bytes, bytes); }
  void uncount_dirty(std::uint64_t bytes) { sub(books.control().dirty_bytes, bytes); }

  // Plain fields that open() writes and everybody reads, with no lock: whoever opens a heap does so
  // before a second thread knows of it. (The process's own is opened by its first allocation, and
  // there is no second thread before that: to start one is to allocate what is local to it.)
  Books books;
  typename Books::ClassByte* class_of_region = nullptr;  // of books: free's hit path has it at hand
  std::uint64_t heap_bytes = 0;  // size of [base, end); 0 while closed, so that nothing is inside
  Address base = 0;
  [[no_unique_address]]
  Memory memory{};
  [[no_unique_address]]
  Hooks hooks{};

  // The system. No bin's lock, nor the segments', is held over a call of it.
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  bool commit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    return memory.commit(space, offset, bytes);
  }
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  bool decommit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    return memory.decommit(space, offset, bytes);
  }
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  void advise(std::uint64_t offset, std::uint64_t bytes, Pages pages) {
    memory.advise(Space::heap, offset, bytes, pages);
  }
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  void populate(const Range& range) {
    memory.populate(Space::heap, range.begin, range.end - range.begin);
  }

 private:
  using Counter = typename Sync::template Atomic<std::uint64_t>;

  void publish(region_t& region, std::uint32_t slot, Class cls) {
    region.cls = static_cast<std::uint8_t>(cls);
    books.class_byte(slot).store(static_cast<std::uint8_t>(cls), std::memory_order_relaxed);
  }

  static void add(Counter& counter, std::uint64_t bytes) {
    if (bytes != 0) {
      counter.fetch_add(bytes, std::memory_order_relaxed);
    }
  }
  static void sub(Counter& counter, std::uint64_t bytes) {
    if (bytes != 0) {
      counter.fetch_sub(bytes, std::memory_order_relaxed);
    }
  }
  Mutex& mutex(std::uint32_t index) { return *reinterpret_cast<Mutex*>(books.lock_line(index)); }
};

}  // namespace strata
