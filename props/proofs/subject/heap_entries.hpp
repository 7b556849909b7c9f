// Entry points into the code of a bin and of the segments: on the bin maps `ProofMap` that the file
// which includes this has chosen.
#pragma once

// What is proved is sequential: nobody else is there.
#pragma clang diagnostic ignored "-Wthread-safety-analysis"

#include "heap/blocks.hpp"
#include "heap/items.hpp"
#include "heap/segments.hpp"
#include "subject/proof_books.hpp"

namespace strata {
namespace {

using Index = std::uint32_t;
using Word = std::uint64_t;
using TheBooks = ProofBooks<ProofMap>;
template <class P>
using TheHeap = ProofHeap<P, ProofMap>;
using Pow2Heap = TheHeap<plan::Pow2>;
using QuarterHeap = TheHeap<plan::Quarter>;

// What a put came to.
struct Given {
  Index looked_at, bad, problem, closed_slot, closed_slots;
};

template <class Heap>
Index take_items(const TheBooks& books, Index cls, Address* end, Index count) {
  Heap heap(books);
  return Items<Heap>(heap, cls).take(end, count).count;
}

template <class Heap>
void put_items(const TheBooks& books, Index cls, const Address* addresses, Index count,
               Given& given) {
  Heap heap(books);
  Outcome outcome;
  Index bad = 0;
  Problem problem = Problem::none;
  given.looked_at =
      Items<Heap>(heap, cls).put(addresses, count, outcome, [&](Address, Problem found) {
        ++bad;
        problem = found;
      });
  given.bad = bad;
  given.problem = static_cast<Index>(problem);
  given.closed_slot = outcome.closed_slot;
  given.closed_slots = outcome.closed_slots;
}

template <class Heap>
Index problem_of_item(const TheBooks& books, Index cls, Word offset) {
  Heap heap(books);
  return static_cast<Index>(Items<Heap>(heap, cls).place_of(offset).problem);
}

}  // namespace

extern "C" {

// --- Chunks and regions of items: the same for all plans of this geometry, and all classes -------
void region_open(const TheBooks& books, Index cls, Index slot) {
  Pow2Heap heap(books);
  Items<Pow2Heap>(heap, cls).open_region(slot);
}
void chunk_hold(const TheBooks& books, Index cls, Index slot, Index c) {
  Pow2Heap heap(books);
  Items<Pow2Heap>(heap, cls).hold_chunk(slot, c);
}
Index chunk_release(const TheBooks& books, Index cls, Index slot, Index c) {
  Pow2Heap heap(books);
  return Items<Pow2Heap>(heap, cls).release_chunk(slot, c).closed_slots;
}

// --- Items ---------------------------------------------------------------------------------------
Index pow2_problem(const TheBooks& books, Index cls, Word offset) {
  return problem_of_item<Pow2Heap>(books, cls, offset);
}
Index quarter_problem(const TheBooks& books, Index cls, Word offset) {
  return problem_of_item<QuarterHeap>(books, cls, offset);
}
Index pow2_take(const TheBooks& books, Index cls, Address* end, Index count) {
  return take_items<Pow2Heap>(books, cls, end, count);
}
Index quarter_take(const TheBooks& books, Index cls, Address* end, Index count) {
  return take_items<QuarterHeap>(books, cls, end, count);
}
void pow2_put(const TheBooks& books, Index cls, const Address* addresses, Index count,
              Given& given) {
  put_items<Pow2Heap>(books, cls, addresses, count, given);
}
void quarter_put(const TheBooks& books, Index cls, const Address* addresses, Index count,
                 Given& given) {
  put_items<QuarterHeap>(books, cls, addresses, count, given);
}
void items_hold(const TheBooks& books, Index cls, Index slot, Index c, Index first, Index last) {
  Pow2Heap heap(books);
  Items<Pow2Heap>(heap, cls).hold_items(slot, c, first, last);
}
Index items_release(const TheBooks& books, Index cls, Index slot, Index c, Index first,
                    Index last) {
  Pow2Heap heap(books);
  return Items<Pow2Heap>(heap, cls).release_items(slot, c, first, last).closed_slots;
}

// --- Blocks --------------------------------------------------------------------------------------
void block_hold(const TheBooks& books, Index bin, Index lead, Index block) {
  Pow2Heap heap(books);
  Blocks<Pow2Heap>(heap, bin).hold_block(lead, block);
}
Index block_release(const TheBooks& books, Index bin, Index lead, Index block) {
  Pow2Heap heap(books);
  return Blocks<Pow2Heap>(heap, bin).release_block(lead, block).closed_slots;
}
void blocks_open(const TheBooks& books, Index bin, Index lead, Index cls) {
  Pow2Heap heap(books);
  Blocks<Pow2Heap>(heap, bin).open_region(lead, cls);
}
// Whether a block was found, whether it is known to be zero; *offset: where.
Index block_take(const TheBooks& books, Index bin, Word* offset) {
  Pow2Heap heap(books);
  const auto taken = Blocks<Pow2Heap>(heap, bin).take();
  *offset = taken.offset;
  return (taken.found ? 1U : 0U) + (taken.known_zero ? 2U : 0U);
}
Index block_put(const TheBooks& books, Index bin, Word offset, Index* closed_slots) {
  Pow2Heap heap(books);
  const Outcome outcome = Blocks<Pow2Heap>(heap, bin).put(offset);
  *closed_slots = outcome.closed_slots;
  return static_cast<Index>(outcome.problem);
}
void block_note_writable(const TheBooks& books, Index bin, Index lead, Index end) {
  Pow2Heap heap(books);
  Blocks<Pow2Heap>(heap, bin).note_writable(lead, end);
}

// --- Segments ------------------------------------------------------------------------------------
Index segments_take_slot(const TheBooks& books) {
  Pow2Heap heap(books);
  return Segments<Pow2Heap>(heap).take_slot();
}
void segments_hold_slot(const TheBooks& books, Index slot) {
  Pow2Heap heap(books);
  Segments<Pow2Heap>(heap).hold_slot(slot);
}
void segments_put_slot(const TheBooks& books, Index slot) {
  Pow2Heap heap(books);
  Segments<Pow2Heap>(heap).put_slot(slot);
}
Index segments_take_segment(const TheBooks& books) {
  Pow2Heap heap(books);
  return Segments<Pow2Heap>(heap).take_segment();
}
Index segments_take_run(const TheBooks& books, Word count) {
  Pow2Heap heap(books);
  return Segments<Pow2Heap>(heap).take_run(count);
}
Index segments_take_slots(const TheBooks& books, Index count, Index align) {
  Pow2Heap heap(books);
  return Segments<Pow2Heap>(heap).take_slots(count, align);
}
void segments_put_slots(const TheBooks& books, Index slot, Index count) {
  Pow2Heap heap(books);
  Segments<Pow2Heap>(heap).put_slots(slot, count);
}
}

}  // namespace strata
