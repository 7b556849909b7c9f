// A Hooks seam that checks the books while real programs run, fills memory as it changes hands, and
// knows which items the program has.
//
// That is a mark in the books for each item (so the plan must be plan::Marked), set on its way out
// and cleared on its way in. The books have an item that a magazine holds in use, and see a bad
// free of it only when it leaves; here it has no mark, whichever thread's magazine it is in.
//
// The chunk or block of a structural event is checked once the operation that made it has dropped
// its locks, those of an operation's first events if they are many; every `period`-th event has all
// the books recomputed.
#pragma once

#include <atomic>
#include <cstring>

#include "hooks/none.hpp"
#include "invariants/validate.hpp"

namespace strata {

// `Handler` is callable as Handler::report(const Report&).
template <class Handler>
class CheckingHooks {
 public:
  static constexpr bool enabled = true;
  static constexpr unsigned char fresh_fill = 0xA5;
  static constexpr unsigned char freed_fill = 0x5A;

  // Every how many events the whole is validated; 0: never. (Relaxed, as the count of events is:
  // they order nothing.)
  void set_period(std::uint32_t period) { period_.store(period, std::memory_order_relaxed); }

  void on(Event, std::uint32_t slot, std::uint32_t unit) {
    Touched& touched = this->touched();
    if (touched.count < Touched::capacity) {
      touched.at[touched.count] = {slot, unit};
    }
    ++touched.count;
  }

  template <class Heap>
  void allocated(Heap& heap, Address address, std::uint64_t) {
    using Plan = typename Heap::Plan;
    const std::uint64_t offset = address - heap.base;
    const auto cls = heap.class_at(offset);
    if (!Plan::is_item(cls)) {
      return;  // blocks and runs may be known to be zero: they stay as they are
    }
    if (Mark<Heap>(heap, offset).set()) {
      Report report = heap.describe_pointer(Problem::broken_invariant, address);
      report.invariant = "an item is handed out once";
      this->report(report);
    }
    std::memset(reinterpret_cast<void*>(address), fresh_fill, Plan::unit_bytes(cls));
  }

  template <class Heap>
  bool holds(Heap& heap, Address address) {
    const std::uint64_t offset = address - heap.base;
    return !Heap::Plan::is_item(heap.class_at(offset)) || Mark<Heap>(heap, offset).is_set();
  }

  template <class Heap>
  bool deallocating(Heap& heap, Address address) {
    using Plan = typename Heap::Plan;
    const std::uint64_t offset = address - heap.base;
    const auto cls = heap.class_at(offset);
    const Problem problem = Plan::is_item(cls) ? unmark(heap, cls, offset) : Problem::none;
    if (problem != Problem::none) {
      report(heap.describe_pointer(problem, address));
      return false;
    }
    // Of a bad block or run the books say so, at once.
    if (Plan::is_item(cls) || heap.looks_live(address)) {
      std::memset(reinterpret_cast<void*>(address), freed_fill,
                  std::min(heap.usable_bytes(address), Plan::page_bytes));
    }
    return true;
  }

  template <class Heap>
  void settled(Heap& heap) {
    Touched& touched = this->touched();
    const std::uint32_t count = touched.count;
    touched.count = 0;
    if (count == 0) {
      return;
    }
    Reports reports;
    for (std::uint32_t i = 0; i < std::min(count, Touched::capacity); ++i) {
      check(heap, touched.at[i].slot, touched.at[i].unit, reports);
    }
    if (comes_to_a_period(count)) {
      const typename Heap::AllLocks all(heap);
      Validator<Heap>(heap, reports).books();
    }
    reports.deliver(*this);
  }

  void report(const Report& report) { Handler::report(report); }

 private:
  struct Touched {
    static constexpr std::uint32_t capacity = 16;
    struct Unit {
      std::uint32_t slot, unit;
    };
    Unit at[capacity];
    std::uint32_t count;  // of events, those past the capacity too
  };
  static Touched& touched() {
    static constinit thread_local Touched touched{};
    return touched;
  }

  // Whether one of these events, the next `count`, is a period's last.
  bool comes_to_a_period(std::uint32_t count) {
    const std::uint64_t period = period_.load(std::memory_order_relaxed);
    return period != 0 &&
           events_.fetch_add(count, std::memory_order_relaxed) % period + count >= period;
  }

  // Relaxed: who frees an item has it from who was given it, and nothing else hangs on its mark.
  template <class Heap>
  class Mark {
    using Plan = typename Heap::Plan;

   public:
    Mark(Heap& heap, std::uint64_t offset) {
      const auto slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
      const auto chunk = static_cast<std::uint32_t>(Plan::chunk_in_region(offset));
      const std::uint64_t index = Plan::byte_in_chunk(offset) >> Plan::item_shift;
      word_ = heap.books.marks(slot, chunk) + (index >> Plan::word_shift);
      bit_ = std::uint64_t{1} << (index % Plan::word_bits);
    }
    bool is_set() const { return (word_->load(std::memory_order_relaxed) & bit_) != 0; }
    // Both say whether it was set.
    bool set() { return (word_->fetch_or(bit_, std::memory_order_relaxed) & bit_) != 0; }
    bool clear() { return (word_->fetch_and(~bit_, std::memory_order_relaxed) & bit_) != 0; }

   private:
    typename Heap::Books::MarkWord* word_;
    std::uint64_t bit_;
  };

  // An item of a class is the program's no more; or what is wrong with that.
  template <class Heap>
  static Problem unmark(Heap& heap, plan::Class cls, std::uint64_t offset) {
    using Plan = typename Heap::Plan;
    if (!Plan::is_unit_start(cls, offset)) {
      return Problem::interior_pointer;
    }
    return Mark<Heap>(heap, offset).clear() ? Problem::none : Problem::double_free;
  }

  template <class Heap>
  static void check(Heap& heap, std::uint32_t slot, std::uint32_t unit, Reports& reports) {
    using Plan = typename Heap::Plan;
    const std::uint64_t offset = Plan::slot_start(slot);
    const auto cls = heap.class_at(offset);
    if (!Plan::is_item(cls) && !Plan::is_block(Plan::bin_class(cls))) {
      return;  // closed meanwhile, or a run
    }
    // Growth holds a block that is not writable yet with its bin unlocked: it looks used.
    const auto commit = heap.lock_commit();
    const auto lock = heap.lock_bin(heap.bin_at(offset, cls));
    if (heap.class_at(offset) == cls) {
      RegionValidator<Heap>(heap, reports).unit(slot, unit);
    }
  }

  std::atomic<std::uint32_t> period_{0};
  std::atomic<std::uint32_t> events_{0};
};

}  // namespace strata
