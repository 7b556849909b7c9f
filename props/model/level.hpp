// An open heap of one plan, without caches: what the models of its parts work on.
#pragma once

// Its commands come one after the other: nobody holds a lock.
#pragma clang diagnostic ignored "-Wthread-safety-analysis"

#include <set>

#include "heap/heap.hpp"
#include "props/model/commands.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"

namespace strata::check {

template <class PlanT>
class Level {
 public:
  using Plan = PlanT;
  using Heap = strata::Heap<Plan, ScriptedMemory<Plan>, PlainSync, CheckHooks>;
  using State = typename Heap::State;
  using Layout = typename Heap::Layout;

  // What is absent is so as where a reservation is not aligned.
  struct Room {
    std::uint32_t segments = 2;
    std::uint64_t cache_bytes = Layout::page_bytes;
    std::uint64_t absent_head_bytes = 0, absent_tail_bytes = 0;
  };
  explicit Level(const Room& room) {
    const Layout layout(room.segments);
    heap_.memory.absent_head_bytes = room.absent_head_bytes;
    heap_.memory.absent_tail_bytes = room.absent_tail_bytes;
    RC_ASSERT(heap_.open(layout, layout.heap_bytes(), room.cache_bytes));
  }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { heap_.close(); }

  // Behind the model's back: see lies.hpp.
  Heap& heap() { return heap_; }
  auto books() { return heap_.books.of_everything(); }

 protected:
  // As growth makes an unused slot ready: its book, its item map, and its first chunks.
  void make_writable(std::uint32_t slot, std::uint32_t chunks) {
    region_t& region = heap_.books.of_everything().region(slot);
    heap_.memory.commit(Space::books, slot * Layout::book_bytes, Layout::book_bytes);
    heap_.memory.commit(Space::item_map, slot * Layout::item_map_bytes, Layout::item_map_bytes);
    region.books_ready = 1;
    region.writable = std::max(region.writable, static_cast<std::uint16_t>(chunks));
    heap_.memory.commit(Space::heap, std::uint64_t{slot} << Plan::region_shift,
                        std::uint64_t{region.writable} << Plan::chunk_shift);
  }

  std::uint64_t live_bytes() const { return heap_.live_bytes(); }
  std::uint64_t dirty_bytes() const { return heap_.dirty_bytes(); }

  // The members of a bin's list, as its links give them.
  std::vector<std::uint32_t> listed(plan::Class bin) const {
    std::vector<std::uint32_t> slots;
    for (std::uint32_t slot = heap_.books.of_everything().bin(bin).head; slot != no_index;
         slot = heap_.books.of_everything().region(slot).next) {
      RC_ASSERT(slots.size() < heap_.books.slots());
      slots.push_back(slot);
    }
    return slots;
  }

  // The k-th of what is there, modulo how many there are. Precondition: not empty.
  template <class Container>
  static auto nth(const Container& container, std::uint32_t k) {
    return *std::next(container.begin(), static_cast<std::ptrdiff_t>(k % container.size()));
  }

  Heap heap_;
};

}  // namespace strata::check
