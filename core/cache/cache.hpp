// A thread's magazines: one stack of pointers a size class, outside the objects.
//
// A cache of all zeros is a valid one that is empty and full at once: popping reads the null at its
// start and misses, pushing finds top == limit and misses. That is what threads have before their
// first miss (unborn) and after their exit (dead), and what classes without a magazine have always;
// so neither malloc's nor free's hit path asks whether there is a cache.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "cache/block_magazines.hpp"

namespace strata {

// Where the stack of each class lies in a cache, and how high it may grow.
template <class Plan>
struct Magazines {
  // Held by one thread in one class: 64 KiB, or two items if that is more; and no more pointers
  // than keep the lock of their bin for about 2 us when half of them go back.
  static constexpr std::uint64_t bytes_max = std::uint64_t{64} << 10;
  static constexpr std::uint32_t pointers_max = 511;
  // Where the slow start begins; every miss doubles it.
  static constexpr std::uint32_t limit_first = 8;

  // Pointers in the magazine of a class, at most.
  static constexpr std::uint32_t capacity(plan::Class cls) { return capacities[cls]; }
  // What one thread can hold in all its magazines, bytes: the bound that README states.
  static constexpr std::uint64_t thread_bytes_max() {
    std::uint64_t bytes = 0;
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      bytes += capacity(cls) * Plan::unit_bytes(cls);
    }
    return bytes + BlockMagazines<Plan>::held_bytes_max();
  }

 private:
  static constexpr auto capacities = [] {
    std::array<std::uint16_t, Plan::item_classes + 1> table{};
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      table[cls] = static_cast<std::uint16_t>(
          std::clamp<std::uint64_t>(bytes_max / Plan::unit_bytes(cls), 2, pointers_max));
    }
    return table;
  }();
};

template <class Plan>
struct Cache {
  // Byte offsets from the start of the cache.
  struct Magazine {
    std::uint32_t top;    // of the topmost pointer; `floor` (which holds a null) when empty
    std::uint32_t limit;  // pushing stops when top has come to it
  };
  using Limits = Magazines<Plan>;

  static constexpr std::uint64_t header_bytes =
      sizeof(Address) + Plan::class_limit * sizeof(Magazine) + sizeof(BlockMagazines<Plan>) +
      sizeof(std::uint64_t);

  static constexpr std::uint32_t bytes() { return far_floors[Plan::item_classes + 1]; }

  Address& at(std::uint32_t offset) {
    return *reinterpret_cast<Address*>(reinterpret_cast<std::byte*>(this) + offset);
  }
  // The pointers of a class, oldest first.
  Address* pointers(plan::Class cls) { return &at(floor(cls)) + 1; }
  std::uint32_t count(plan::Class cls) const { return entries(magazines[cls].top - floor(cls)); }
  void set_count(plan::Class cls, std::uint32_t count) {
    magazines[cls].top = floor(cls) + bytes_of(count);
  }
  std::uint32_t limit(plan::Class cls) const { return entries(magazines[cls].limit - floor(cls)); }
  // Doubles how many it may hold, as far as its capacity; false: that is reached.
  bool grow(plan::Class cls) {
    const std::uint32_t held = count(cls);
    const std::uint32_t limit = std::min(2 * this->limit(cls), Limits::capacity(cls));
    if (limit == this->limit(cls)) {
      return false;
    }
    const Address* const from = pointers(cls);
    const auto& floors = limit <= near_entries(cls) ? near_floors : far_floors;
    magazines[cls].limit = floors[cls] + bytes_of(limit);
    if (from != pointers(cls)) {
      std::copy(from, from + held, pointers(cls));
    }
    set_count(cls, held);
    return true;
  }

  // Whether it is a thread's own; false for the unborn and the dead.
  bool has_magazines() const { return magazines[1].limit != 0; }

  // Empty magazines, whatever was held before. The nulls at the start and below each stack are
  // there: a slot's memory was zero at first and all caches are laid out alike. Not even looked at,
  // so that a thread's first call does not touch a page for each stack.
  void initialise(std::uint32_t in_slot) {
    static_assert(header_bytes == sizeof(Cache), "the first stack begins where the members end");
    blocks = {};
    slot = in_slot;
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      const std::uint32_t floor = near_floors[cls];
      magazines[cls] = {floor,
                        floor + bytes_of(std::min(Limits::limit_first, Limits::capacity(cls)))};
    }
  }

  // Calls f(bin, pointers, count) for the magazine of every class, of items and of blocks.
  template <class F>
  void each_magazine(F f) {
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      f(cls, pointers(cls), count(cls));
    }
    for (plan::Class bin = Plan::first_block; BlockMagazines<Plan>::has(bin); ++bin) {
      f(bin, blocks.begin(bin), blocks.count(bin));
    }
  }

  // Forgets what the magazines hold; how much they may hold stays.
  void clear() {
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      set_count(cls, 0);
    }
    blocks.clear();
  }

  // Pops a pointer, or 0: the hit path of malloc.
  Address pop(std::uint64_t cls) {
    Magazine& magazine = magazines[cls];
    const std::uint32_t top = magazine.top;
    const Address pointer = at(top);
    if (pointer != 0) [[likely]] {
      magazine.top = top - static_cast<std::uint32_t>(sizeof(Address));
    }
    return pointer;
  }

  // Pushes a pointer unless the magazine is full: the hit path of free.
  bool push(std::uint64_t cls, Address pointer) {
    Magazine& magazine = magazines[cls];
    if (magazine.top == magazine.limit) [[unlikely]] {
      return false;
    }
    const std::uint32_t top = magazine.top + static_cast<std::uint32_t>(sizeof(Address));
    at(top) = pointer;
    // A signal's handler that ends the program here finds no entry that is not written.
    std::atomic_signal_fence(std::memory_order_release);
    magazine.top = top;
    return true;
  }

  Address zero;  // read, never written: what magazines of all zeros pop
  std::array<Magazine, Plan::class_limit> magazines;
  BlockMagazines<Plan> blocks;
  // Of the registry: threads take turns at shards.
  std::uint64_t slot;
  // ... the stacks follow, see near_floors.

 private:
  static constexpr std::uint32_t bytes_of(std::uint32_t entries) {
    return entries * static_cast<std::uint32_t>(sizeof(Address));
  }
  static constexpr std::uint32_t entries(std::uint32_t bytes) {
    return bytes / static_cast<std::uint32_t>(sizeof(Address));
  }

  // Offset of the null below the stack of a class.
  std::uint32_t floor(plan::Class cls) const {
    return magazines[cls].limit < near_end ? near_floors[cls] : far_floors[cls];
  }

  // One stack after the other from `at` on, of entries(cls) pointers each; and where they end.
  template <class Entries>
  static constexpr auto floors_from(std::uint32_t at, Entries entries) {
    std::array<std::uint32_t, Plan::item_classes + 2> table{};
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      table[cls] = at;
      at += bytes_of(entries(cls) + 1);
    }
    table[Plan::item_classes + 1] = at;
    return table;
  }
  // Each magazine begins with a stack that is large enough for one refill, near the header, so that
  // a thread that allocates little touches few pages; from then on it has one of its capacity.
  static constexpr std::uint32_t near_entries(plan::Class cls) {
    return std::min(2 * Limits::limit_first, Limits::capacity(cls));
  }
  static constexpr auto near_floors =
      floors_from(static_cast<std::uint32_t>(header_bytes), near_entries);
  static constexpr std::uint32_t near_end = near_floors[Plan::item_classes + 1];
  static constexpr auto far_floors =
      floors_from(near_end, [](plan::Class cls) { return Limits::capacity(cls); });
};

}  // namespace strata
