// The Memory seam: what the heap asks of the system. `Linux` ships; checks script their own.
//
//   bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align)
//       Reserves address space for all five spaces or none. Nothing is usable before commit.
//   void release()
//       Gives all of it back (a rung of the ladder that failed half-way, a heap that is closed).
//   std::byte* base(Space)
//       Where a space starts; for the heap rounded down to heap_align, so that its first bytes may
//       be absent: see present(). Books, item map and caches are dereferenced by the allocator; the
//       heap space never is, and its base may be any number that is a multiple of heap_align.
//   Range present()
//       The part of [base, base + size) of the heap that really was reserved, as offsets.
//   bool commit(Space, offset, size)
//       Makes a range readable and writable; what was never written reads as zero. Harmless to
//       repeat. false = refused, and nothing changed that can be observed.
//   bool decommit(Space, offset, size)
//       Drops the contents of a committed range, which read as zero and cost no memory until
//       written again. false = refused, contents undefined (bytes old or zero).
//   void advise(Space, offset, size, Pages)
//       A hint, for whole regions: which size of page suits what will be touched there next. May do
//       nothing.
//   void populate(Space, offset, size)
//       A hint: a committed range that costs no memory yet is about to be written. Contents stay.
//   std::uint64_t now_ms()
//       A monotonic clock, coarse.
//
// And if it knows them:
//
//   static std::uint64_t address_space_max()
//       Bytes of address space that all spaces together may take.
//   static std::uint32_t processors()
//       That the process may run on: how many shards are worth having. Else as many as the plan
//       has.
//
// Offsets and sizes are multiples of the page. All but reserve and release may be called by several
// threads at once.
#pragma once

#include <array>
#include <cstdint>

#include "book/layout.hpp"

namespace strata {

using SpaceSizes = std::array<std::uint64_t, space_count>;  // bytes, indexed by Space

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

}  // namespace strata
