// Where caches live: a space of their own, in slots of whole pages, lowest first, so that as many
// are in memory as threads were ever alive at once; a slot's pages go back when its thread ends,
// but for the lowest slots.
#pragma once

#include <optional>

#include "binmap/binmap.hpp"
#include "cache/cache.hpp"
#include "heap/state.hpp"

namespace strata {

template <class Heap>
class Registry {
  using Plan = typename Heap::Plan;
  using Layout = typename Heap::Layout;
  using Mutex = typename Heap::Mutex;
  using Map = BinMap<6>;

 public:
  using Lock = Guard<Mutex, role::Registry>;
  using Cache = strata::Cache<Plan>;
  static constexpr std::uint32_t slots_max = 16384;
  static constexpr std::uint32_t slots_min = 4;
  // These keep their pages for the next thread: to fault them in again costs as much as the thread.
  static constexpr std::uint32_t warm_slots = 16;
  // A small heap keeps few caches: all slots together take this part of its address space.
  static constexpr std::uint64_t heap_bytes_per_cache_byte = 256;
  static constexpr std::uint64_t slot_bytes =
      round_up<std::uint64_t>(Cache::bytes(), Layout::page_bytes);

  explicit constexpr Registry(Heap& heap) : heap_(heap) {}

  static constexpr std::uint32_t slots_for(std::uint64_t heap_bytes) {
    return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(
        heap_bytes / heap_bytes_per_cache_byte / slot_bytes, slots_min, slots_max));
  }
  static constexpr std::uint64_t bytes_for(std::uint64_t heap_bytes) {
    return header_bytes + slots_for(heap_bytes) * slot_bytes;
  }

  bool open(std::uint64_t heap_bytes) {
    const role::Alone alone;
    if (!heap_.memory.commit(Space::caches, 0, header_bytes)) {
      return false;
    }
    free().fill(slots_for(heap_bytes));
    return true;
  }

  // A cache with empty magazines, or null: no slot is left, the system refuses it, or nothing is
  // open. O(1).
  Cache* take() {
    if (heap_.heap_bytes == 0) {
      return nullptr;
    }
    const auto lock = this->lock();
    const std::uint32_t slot = free().first();
    if (slot == no_index) {
      return nullptr;
    }
    if (slot >= header().ready) {
      // Not a bin's lock: held over the call so that slots become ready in order.
      if (!heap_.commit(Space::caches, offset_of(slot), slot_bytes)) {
        return nullptr;
      }
      header().ready = slot + 1;
    }
    free().take(slot);
    Cache* const cache = at(slot);
    cache->initialise(slot);
    return cache;
  }

  // The magazines are empty, or are to be forgotten.
  void put(Cache* cache) {
    const std::uint32_t slot = slot_of(cache);
    if (slot >= warm_slots) {
      (void)heap_.decommit(Space::caches, offset_of(slot), slot_bytes);
    }
    const auto lock = this->lock();
    free().put(slot);
  }

  // The warm slots that no thread has give their pages back too.
  void purge() {
    const auto lock = this->lock();
    for (std::uint32_t slot = 0; slot < std::min(warm_slots, header().ready); ++slot) {
      if (free().test(slot)) {
        (void)heap_.decommit(Space::caches, offset_of(slot), slot_bytes);
      }
    }
  }

  [[clang::acquire_capability(role::Registry::held), clang::no_thread_safety_analysis]]
  Lock lock() {
    return Lock(header().mutex, rank::registry);
  }

  // Calls f(cache) for every cache in use.
  template <class F>
  [[clang::requires_capability(role::Registry::held)]]
  void each(F f) {
    for (std::uint32_t slot = 0; slot < header().ready; ++slot) {
      if (!free().test(slot)) {
        f(at(slot));
      }
    }
  }

 private:
  struct Header {
    alignas(64) Mutex mutex;
    alignas(64) std::uint32_t ready;  // slots below it are committed
    std::uint64_t summary[Map::summary_words_for(slots_max)];
    std::uint64_t words[Map::words_for(slots_max)];
  };
  static constexpr std::uint64_t header_bytes =
      round_up<std::uint64_t>(sizeof(Header), Layout::page_bytes);

  [[clang::requires_capability(role::Registry::held)]]
  Header& header() {
    return *reinterpret_cast<Header*>(heap_.memory.base(Space::caches));
  }
  [[clang::requires_capability(role::Registry::held)]]
  Map free() {
    return Map(header().summary, header().words, Map::summary_words_for(slots_max));
  }
  static std::uint64_t offset_of(std::uint32_t slot) { return header_bytes + slot * slot_bytes; }
  Cache* at(std::uint32_t slot) {
    return reinterpret_cast<Cache*>(heap_.memory.base(Space::caches) + offset_of(slot));
  }
  std::uint32_t slot_of(const Cache* cache) {
    const auto* const address = reinterpret_cast<const std::byte*>(cache);
    const std::uint64_t offset =
        static_cast<std::uint64_t>(address - heap_.memory.base(Space::caches));
    return static_cast<std::uint32_t>((offset - header_bytes) / slot_bytes);
  }

  Heap& heap_;
};

}  // namespace strata
