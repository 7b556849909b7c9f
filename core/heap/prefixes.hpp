// Writable prefixes of slots, and the size of page that the system is asked for in them. All of it
// under the commit lock, by whoever holds something in the slots, and with no bin's lock. (A live
// run that grows in place has its slots to itself and needs no commit lock: Runs::extend.)
#pragma once

#include "heap/blocks.hpp"
#include "heap/state.hpp"

namespace strata {

template <class State>
class Prefixes {
  using Plan = typename State::Plan;
  using Class = typename State::Class;
  using Layout = typename State::Layout;

 public:
  explicit Prefixes(State& state) : state_(state), books_(state.books) {}

  // Book, item map and first units of a slot. What was written of it so far stays as it is unless
  // all of it succeeds.
  [[clang::requires_capability(role::Commit::held)]]
  bool commit_first(std::uint32_t slot, std::uint32_t slots, Class bin) {
    region_t& region = books_.of_growth().region(slot);
    if (region.books_ready == 0 && !commit_books(slot)) {
      return false;
    }
    const std::uint32_t least = Plan::is_item(bin) ? 1 : Blocks<State>::chunks_through(bin, 0);
    std::uint32_t chunks = Plan::is_item(bin) ? Plan::initial_chunks : least;
    if (region.writable < least) {
      if (!commit_chunks(slot, 0, chunks)) {
        if (chunks == least || !commit_chunks(slot, 0, least)) {
          return false;
        }
        chunks = least;
      }
      Blocks<State>::raise_writable(books_.of_growth(), slot, chunks);
    }
    region.books_ready = 1;
    if (!Plan::is_item(bin) && !suits_huge_pages(bin, least)) {
      withdraw_advice(slot, slots);
    }
    note_advice(slot, slots, advise(bin, slot, slots, least, advice(slot, slots)));
    return true;
  }

  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  bool commit_chunks(std::uint32_t slot, std::uint32_t from, std::uint32_t to) {
    const bool committed =
        state_.commit(Space::heap, Plan::chunk_start(slot, from), (to - from) * Plan::chunk_bytes);
    grown_chunks_ += committed ? to - from : 0;
    return committed;
  }

  // Asks for huge pages if they suit what `chunks` of a bin's region are writable for, and `now` is
  // what was advised last: page faults are most of what growth costs, and a huge page costs a fifth
  // of the small ones in it. Something in the slots is held, no bin's lock is; whoever has it next
  // notes the advice. (Advice of two threads may reach the system in another order than the books.)
  [[clang::requires_capability(!role::Bin::held, !role::Segments::held)]]
  Pages advise(Class bin, std::uint32_t slot, std::uint32_t slots, std::uint32_t chunks,
               Pages now) {
    if (!suits_huge_pages(bin, chunks) || now == Pages::huge) {
      return now;
    }
    state_.advise(Plan::slot_start(slot), slots * Plan::region_bytes, Pages::huge);
    return Pages::huge;
  }
  // What was advised last for all of the slots: they may have been apart before.
  [[clang::requires_capability(role::Commit::held)]]
  Pages advice(std::uint32_t slot, std::uint32_t slots) const {
    Pages all = Pages::huge;
    for (std::uint32_t i = 0; i < slots; ++i) {
      all = std::min(all, books_.of_growth().region(slot + i).pages);
    }
    return all;
  }
  [[clang::requires_capability(role::Commit::held)]]
  void note_advice(std::uint32_t slot, std::uint32_t slots, Pages pages) {
    for (std::uint32_t i = 0; pages == Pages::huge && i < slots; ++i) {
      books_.of_growth().region(slot + i).pages = pages;
    }
  }

  // Huge pages were advised for what used the slots before. Blocks and runs that may mean to touch
  // little have small ones; items keep them until a purge finds their region sparse.
  [[clang::requires_capability(role::Commit::held, !role::Bin::held, !role::Segments::held)]]
  void withdraw_advice(std::uint32_t first, std::uint32_t slots) {
    for (std::uint32_t slot = first; slot < first + slots; ++slot) {
      region_t& region = books_.of_growth().region(slot);
      if (region.pages == Pages::huge) {
        state_.advise(Plan::slot_start(slot), Plan::region_bytes, Pages::small);
        region.pages = Pages::small;
      }
    }
  }

  // Made writable by this.
  std::uint64_t grown_bytes() const { return grown_chunks_ * Plan::chunk_bytes; }

 private:
  bool commit_books(std::uint32_t slot) {
    return state_.commit(Space::books, slot * Layout::book_bytes, Layout::book_bytes) &&
           state_.commit(Space::item_map, slot * Layout::item_map_bytes, Layout::item_map_bytes);
  }

  // Items of regions that fill up; and blocks that are no less than two huge pages, so that what is
  // resident is at most twice what was asked for, nor so large that a program may mean to touch
  // little of them.
  static bool suits_huge_pages(Class bin, std::uint32_t writable_chunks) {
    if (Plan::is_item(bin)) {
      return writable_chunks >= Plan::dense_chunks;
    }
    const std::uint64_t chunks = Plan::unit_bytes(bin) >> Plan::chunk_shift;
    return chunks >= huge_block_chunks_min && chunks <= huge_block_chunks_max;
  }
  static constexpr std::uint64_t huge_block_chunks_min = Plan::growth_chunks_max;       // 4 MiB
  static constexpr std::uint64_t huge_block_chunks_max = 32 * Plan::growth_chunks_max;  // 128 MiB

  State& state_;
  const typename State::Books& books_;
  std::uint64_t grown_chunks_ = 0;
};

}  // namespace strata
