// What every part of the heap shares: the four seams, the books, and the locks that guard them.
//
// Lock order: commit, purge, bins by class, segments (group C too). No bin or segment lock is held
// over a call of Memory.
#pragma once

#include <array>
#include <atomic>
#include <bit>

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
  using Layout = typename Books::Layout;
  using Class = plan::Class;
  using Mutex = typename Sync::Mutex;
  using Lock = Guard<Mutex>;
  static_assert(sizeof(Mutex) <= Layout::line_bytes);

  Lock lock_commit() { return Lock(mutex(0), rank::commit); }
  Lock lock_purge() { return Lock(mutex(1), rank::purge); }
  Lock try_lock_purge() { return Lock::try_lock(mutex(1), rank::purge); }
  Lock lock_bin(Class bin) { return Lock(mutex(2 + bin), rank::first_bin + bin); }
  Lock lock_segments() { return Lock(mutex(2 + Plan::bins), rank::segments); }

  // Every lock but commit and purge, in order.
  struct AllBins {
    explicit AllBins(State& state) {
      for (Class bin = 1; bin < Plan::bins; ++bin) {
        bins[bin] = state.lock_bin(bin);
      }
      segments = state.lock_segments();
    }
    std::array<Lock, Plan::bins> bins;
    Lock segments;
  };

  bool contains(std::uint64_t offset) const { return offset < heap_bytes; }
  Address address_of(std::uint64_t offset) const { return base + offset; }

  // The published class of the slot an offset lies in. Relaxed: stable for whoever holds an item
  // there (its hand-over orders the read); others read it again under the bin's lock.
  Class class_at(std::uint64_t offset) const {
    return class_of_region[Plan::slot_of(offset)].load(std::memory_order_relaxed);
  }
  // Written under the lock of the bin that the slot belongs to before or after the change.
  void publish_class(std::uint32_t slot, Class cls) {
    books.region(slot).cls = static_cast<std::uint8_t>(cls);
    books.class_byte(slot).store(static_cast<std::uint8_t>(cls), std::memory_order_relaxed);
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
      const Class bin = Plan::bin_of(report.cls);
      if (Plan::is_item(bin)) {
        report.unit_bytes = Plan::unit_bytes(bin);
        report.unit = Plan::chunk_in_region(offset);
        report.item = Plan::template item_index<std::uint64_t>(bin, Plan::byte_in_chunk(offset));
      } else if (Plan::is_block(bin)) {
        report.unit_bytes = Plan::unit_bytes(bin);
        report.unit = (offset % Plan::segment_bytes) >> Plan::block_shift(bin);
      }
    }
    return report;
  }

  // Moves `bytes` between the live, the dirty and the clean, all statistics: relaxed.
  void count_live(std::uint64_t bytes) { add(books.control().live_bytes, bytes); }
  void uncount_live(std::uint64_t bytes) { sub(books.control().live_bytes, bytes); }
  void count_dirty(std::uint64_t bytes) { add(books.control().dirty_bytes, bytes); }
  void uncount_dirty(std::uint64_t bytes) { sub(books.control().dirty_bytes, bytes); }

  Books books;
  typename Books::ClassByte* class_of_region = nullptr;  // of books: free's hit path has it at hand
  std::uint64_t heap_bytes = 0;  // size of [base, end); 0 while closed, so that nothing is inside
  Address base = 0;
  [[no_unique_address]] Memory memory{};
  [[no_unique_address]] Hooks hooks{};

 private:
  using Counter = typename Sync::template Atomic<std::uint64_t>;

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
