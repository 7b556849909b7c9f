// The records of the book-keeping. Indices, never pointers, so that they mean the same in every
// process that maps them; all zeros is a valid state of each, so that fresh pages need no set-up.
#pragma once

#include <cstdint>

#include "binmap/binmap.hpp"

namespace strata {

// The size of page that the system was last told to use for a slot. A hint for speed: what is
// handed out does not depend on it.
enum class Pages : std::uint8_t { unadvised, small, huge };

// One 32 MiB slot of the heap space. While the slot is used, its bin's lock guards the record (the
// segments lock for runs); while it is unused, the segments lock.
struct region_t {
  std::uint32_t next;            // link of the bin's list of regions with room
  std::uint32_t run_units;       // group C, first slot: length in chunk-sized units
  std::uint16_t free_units;      // chunks in the free set, or free blocks
  std::uint16_t partial_chunks;  // chunks in the partial set
  std::uint16_t writable;        // this slot's writable prefix, in chunks; survives reuse
  std::uint16_t span_writable;   // lead slot of a block region: its writable prefix, in chunks
  std::uint16_t dirty;           // unused slot: chunks from here on are known to be zero
  std::uint8_t cls;              // what it is used for; class_of_region publishes a copy
  std::uint8_t books_ready;      // 1 once its book and item map have been made writable
  std::uint32_t purged_block;    // 1 + the block in a purger's hands; 0: none
  Pages pages;                   // what was advised last for this slot; survives reuse
  std::uint8_t reserved[7];
};
static_assert(sizeof(region_t) == 32);

// One 64 KiB chunk of group A, guarded by its bin's lock. Meaningful below the writable prefix.
struct chunk_t {
  std::uint64_t summary;      // of its words in the item map
  std::uint16_t free_items;   // count of 1s in the item map
  std::uint16_t dirty_pages;  // bit p: page p was handed out since it was last known to be zero
  std::uint16_t held_pages;   // bit p: page p, and every item on it, is in a purger's hands
  std::uint16_t taken_at;     // when an item was last taken, State::quarter() of then; a hint
  std::uint8_t searched;      // 1: no page is free and dirty; since then nothing was taken or put
  std::uint8_t reserved[15];
};
static_assert(sizeof(chunk_t) == 32);

// The head of a bin, in the control space, guarded by the bin's lock, but for `borrowed`: that is
// growth's own, guarded by the commit lock.
struct bin_t {
  std::uint32_t head;          // its lowest region with room, or no_index
  std::uint32_t regions;       // its regions, with room or not
  std::uint8_t empty_chunks;   // chunks in partial sets of which every item is free (0 or 1)
  std::uint8_t empty_regions;  // regions of which every unit is free (0 or 1)
  std::uint8_t borrowed;       // batches from siblings since its last region was opened
  std::uint8_t reserved[5];
};
static_assert(sizeof(bin_t) == 16);
inline constexpr std::uint8_t borrowed_max = 8;  // then a region is due

// The sets of a region of items.
template <class Plan>
struct chunk_sets_t {
  using Map = BinMap<Plan::word_shift>;
  static constexpr std::uint32_t words = Map::words_for(Plan::chunks_per_region);
  static constexpr std::uint32_t summary_words = Map::summary_words_for(Plan::chunks_per_region);
  std::uint64_t free_summary[summary_words];
  std::uint64_t partial_summary[summary_words];
  std::uint64_t free_words[words];
  std::uint64_t partial_words[words];
};

template <class Plan>
struct block_sets_t {
  using Map = BinMap<Plan::word_shift>;
  static constexpr std::uint32_t words = Map::words_for(Plan::chunks_per_segment);
  static constexpr std::uint32_t summary_words = Map::summary_words_for(Plan::chunks_per_segment);
  std::uint64_t free_summary[summary_words];
  std::uint64_t dirty_summary[summary_words];
  std::uint64_t free_words[words];
  std::uint64_t dirty_words[words];  // 1 = handed out since it was last known to be zero
};

// What is unused, guarded by the segments lock.
struct unused_t {
  std::uint32_t dirty_slots;   // unused slots with dirty > 0
  std::uint32_t free_slots;    // unused slots, for the scarcity rule (heap/scarcity.hpp)
  std::uint16_t segment_head;  // lowest segment with free regions, or no_segment
  std::uint16_t reserved;
};
static_assert(sizeof(unused_t) == 12);
inline constexpr std::uint16_t no_segment = 0xFFFF;

// The allocator's own record, at the start of the control page. Its plain numbers are fixed at
// start.
template <class Sync>
// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): what changes often has its own line
struct control_t {
  template <class T>
  using Atomic = typename Sync::template Atomic<T>;

  std::uint32_t first_slot;  // slots below it and from end_slot on are absent
  std::uint32_t end_slot;
  // Relaxed: it and the statistics steer purging, and publish nothing.
  Atomic<std::uint64_t> purge_due_ms;
  // The most that the system refused to drop in one purge for the bound (memory that the program
  // has locked, say) since the last delayed or asked-for purge. The bound is raised by it, so that
  // frees do not try again in vain.
  Atomic<std::uint64_t> refused_bytes;
  // Exact whenever every lock is held. On a line of their own, since they change far more often
  // than what misses read above.
  alignas(64) Atomic<std::uint64_t> dirty_bytes;
  Atomic<std::uint64_t> live_bytes;
};

}  // namespace strata
