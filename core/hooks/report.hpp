// What the allocator says when something is wrong: a bad pointer given to it, or broken books.
#pragma once

#include <array>
#include <cstdint>

namespace strata {

using Address = std::uintptr_t;  // 0 is no address

enum class Problem : std::uint8_t {
  none,
  foreign_pointer,   // not in the heap's address space
  unused_region,     // in a region that nothing was allocated from, or that has been given back
  interior_pointer,  // inside an allocation or between two, not at the start of one
  double_free,       // the start of something that is free already
  broken_invariant,  // the books contradict themselves: `invariant` names how
  lock_order,        // a lock was taken against the order
};

struct Report {
  Problem problem = Problem::none;
  const char* invariant = nullptr;  // static text; set for broken_invariant and lock_order
  Address address = 0;              // the pointer, or the start of the record's memory
  std::uint32_t slot = ~0U;         // region slot the address lies in; ~0 if outside
  std::uint32_t cls = 0;            // class byte of that slot
  std::uint64_t unit_bytes = 0;     // size of its items or blocks; 0 if none
  std::uint64_t unit = ~0ULL;       // chunk or block within the region
  std::uint64_t item = ~0ULL;       // item within the chunk
};

constexpr const char* describe(Problem problem) {
  switch (problem) {
    case Problem::none:
      return "no problem";
    case Problem::foreign_pointer:
      return "pointer was not allocated here";
    case Problem::unused_region:
      return "pointer into memory that is not in use";
    case Problem::interior_pointer:
      return "pointer is not the start of an allocation";
    case Problem::double_free:
      return "free of something already free";
    case Problem::broken_invariant:
      return "book-keeping is inconsistent";
    case Problem::lock_order:
      return "locks taken out of order";
  }
  return "unknown problem";
}

// Problems found while locks are held, delivered when the last is released and the books are whole,
// so that a handler may allocate or throw. Those beyond its capacity are counted.
class Reports {
 public:
  // Every miss has one of these on its stack, which may be small.
  static constexpr std::uint32_t capacity = 8;

  void add(const Report& report) {
    if (count_ < capacity) {
      reports_[count_].report = report;
    }
    ++count_;
  }

  template <class Hooks>
  void deliver(Hooks& hooks) {
    const std::uint32_t kept = count_ < capacity ? count_ : capacity;
    count_ = 0;
    for (std::uint32_t i = 0; i < kept; ++i) {
      hooks.report(reports_[i].report);
    }
  }

  std::uint32_t count() const { return count_; }

 private:
  // Not initialised: every miss makes one of these on its way, and nearly never writes it.
  union Kept {
    Kept() {}
    Report report;
  };
  std::array<Kept, capacity> reports_;
  std::uint32_t count_ = 0;
};

}  // namespace strata
