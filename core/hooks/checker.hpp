// A Hooks seam that checks the books while real programs run, and fills memory as it changes hands.
//
// Every structural event has its chunk or block checked once the operation that made it has dropped
// its locks; every `period`-th has all the books recomputed.
#pragma once

#include <atomic>
#include <cstring>

#include "hooks/none.hpp"
#include "hooks/validate.hpp"

namespace strata {

// `Handler` is callable as Handler::report(const Report&).
template <class Handler>
class CheckingHooks {
 public:
  static constexpr bool enabled = true;
  static constexpr unsigned char fresh_fill = 0xA5;
  static constexpr unsigned char freed_fill = 0x5A;

  // Every how many events the whole is validated; 0: never.
  void set_period(std::uint32_t period) { period_.store(period, std::memory_order_relaxed); }

  void on(Event, std::uint32_t slot, std::uint32_t unit) {
    Touched& touched = this->touched();
    if (touched.count < Touched::capacity) {
      touched.at[touched.count++] = {slot, unit};
    }
  }

  template <class Heap>
  void allocated(Heap& heap, Address address, std::uint64_t) {
    // Blocks and runs may be known to be zero: they stay as they are.
    const std::uint64_t usable = heap.usable_bytes(address);
    if (usable <= Heap::Plan::item_bytes_max) {
      std::memset(reinterpret_cast<void*>(address), fresh_fill, usable);
    }
  }

  template <class Heap>
  void deallocating(Heap& heap, Address address) {
    if (heap.looks_live(address)) {
      const std::uint64_t usable = heap.usable_bytes(address);
      std::memset(reinterpret_cast<void*>(address), freed_fill,
                  std::min(usable, Heap::Plan::page_bytes));
    }
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
    for (std::uint32_t i = 0; i < count; ++i) {
      check(heap, touched.at[i].slot, touched.at[i].unit, reports);
    }
    const std::uint32_t period = period_.load(std::memory_order_relaxed);
    if (period != 0 && events_.fetch_add(count, std::memory_order_relaxed) % period < count) {
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
    std::uint32_t count;
  };
  static Touched& touched() {
    static constinit thread_local Touched touched{};
    return touched;
  }

  template <class Heap>
  static void check(Heap& heap, std::uint32_t slot, std::uint32_t unit, Reports& reports) {
    using Plan = typename Heap::Plan;
    const auto cls = heap.class_at(std::uint64_t{slot} << Plan::region_shift);
    const auto bin = Plan::bin_of(cls);
    if (!Plan::is_item(bin) && !Plan::is_block(bin)) {
      return;  // closed meanwhile, or a run
    }
    // Growth holds a block that is not writable yet with its bin unlocked: it looks used.
    const auto commit = heap.lock_commit();
    const auto lock = heap.lock_bin(bin);
    if (heap.class_at(std::uint64_t{slot} << Plan::region_shift) == cls) {
      RegionValidator<Heap>(heap, reports).unit(slot, unit);
    }
  }

  std::atomic<std::uint32_t> period_{0};
  std::atomic<std::uint32_t> events_{0};
};

}  // namespace strata
