// The Hooks seam, and its shipped instance in which every event is nothing.
#pragma once

#include <cstdint>

#include "hooks/report.hpp"

namespace strata {

enum class Event : std::uint8_t {
  region_opened,
  region_closed,
  chunk_opened,
  chunk_closed,
  items_taken,
  items_given,
  block_taken,
  block_given,
  run_taken,
  run_given,
  purged,
};

// A Hooks class has these members; a checking one sets `enabled`.
struct NoHooks {
  // false: the compiler sees no call at all.
  static constexpr bool enabled = false;

  // A structural event in a slot, with the lock that guards the slot held: must not call the
  // allocator. `unit` is the chunk or block within the region.
  void on(Event, std::uint32_t /*slot*/, std::uint32_t /*unit*/) {}

  // An allocation on its way out, a pointer into the heap on its way in; no lock is held. `heap` is
  // the Heap. false: the pointer is bad and has been reported; it goes no further.
  template <class Heap>
  void allocated(Heap&, Address, std::uint64_t /*size_bytes*/) {}
  template <class Heap>
  bool deallocating(Heap&, Address) {
    return true;
  }
  // Whether the program has the item that starts there, as far as hooks know.
  template <class Heap>
  bool holds(Heap&, Address) {
    return true;
  }

  // The end of an operation that took locks: none is held any more, the books are whole. `heap` is
  // the Heap itself.
  template <class Heap>
  void settled(Heap&) {}

  // Something is wrong. May throw, trap or abort; the shipped one (abi/) says it and aborts.
  void report(const Report&) {}
};

}  // namespace strata
