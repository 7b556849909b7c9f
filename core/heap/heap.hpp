// The heap: bins, blocks and runs behind their locks. It deals in addresses that it never
// dereferences, so that the memory it manages may be anything.
//
// The way of a size: Plan::class_for -> take (a batch of items, or one block) or take_run -> out.
// The way back: the address's class byte -> give (items, blocks, runs alike).
//
// Thread-safe but for open and close. Reports of bad pointers are delivered with no lock held.
#pragma once

#include <algorithm>

#include "heap/growth.hpp"
#include "heap/purge.hpp"
#include "heap/runs.hpp"
#include "heap/state.hpp"

namespace strata {

// Free dirty bytes above the larger of this and an eighth of what is live go back at once. Tiny
// plans of the checks have a smaller one.
template <class Plan>
inline constexpr std::uint64_t dirty_bytes_limit = std::uint64_t{16} << 20;

template <class Plan, class Memory, class Sync, class Hooks>
class Heap : public State<Plan, Memory, Sync, Hooks> {
 public:
  using State = strata::State<Plan, Memory, Sync, Hooks>;
  using State::base, State::books, State::dirty_bytes, State::hooks, State::live_bytes,
      State::memory;
  using typename State::Bin;
  using typename State::Books;
  using typename State::Class;
  using typename State::Layout;

  static constexpr std::uint64_t dirty_bytes_max = dirty_bytes_limit<Plan>;

  // Every lock, in order: for fork and validate.
  struct [[clang::scoped_lockable]] AllLocks {
    [[clang::acquire_capability(role::Commit::held, role::Purge::held, role::Bin::held,
                                role::Segments::held),
      clang::no_thread_safety_analysis]]
    explicit AllLocks(Heap& heap)
        : commit(heap.lock_commit()), purge(heap.lock_purge()), bins(heap) {}
    AllLocks(AllLocks&&) = default;
    [[clang::release_capability()]]
    ~AllLocks() = default;
    typename State::CommitLock commit;
    typename State::PurgeLock purge;
    typename State::AllBins bins;
  };

  // --- Start and end --------------------------------------------------------------------------

  // Tries to reserve the heap's spaces, with `heap_bytes` of its layout's address space (the lower
  // rungs have only part of the last segment) and `cache_bytes` for magazines. false: nothing was
  // reserved or nothing could be committed. Not thread-safe.
  bool open(const Layout& layout, std::uint64_t heap_bytes, std::uint64_t cache_bytes) {
    const SpaceSizes sizes = {layout.control_bytes, heap_bytes, layout.books_bytes(),
                              layout.item_maps_bytes(), cache_bytes};
    const role::Alone alone;
    if (!memory.reserve(sizes, Plan::segment_bytes)) {
      return false;
    }
    if (!memory.commit(Space::control, 0, layout.control_bytes)) {
      memory.release();
      return false;
    }
    books = Books(layout, memory.base(Space::control), memory.base(Space::books),
                  memory.base(Space::item_map));
    State::class_of_region = books.class_bytes();
    base = reinterpret_cast<Address>(memory.base(Space::heap));
    for (Bin bin = 1; bin < layout.bins_count(); ++bin) {
      books.of_bins().bin(bin).head = no_index;
    }
    Segments<State>(*this).initialise(memory.present());
    State::heap_bytes = layout.heap_bytes();
    return true;
  }

  // Gives the whole address space back. Nothing of it may be used any more. Not thread-safe.
  void close() {
    State::heap_bytes = 0;
    base = 0;
    memory.release();
    State::class_of_region = nullptr;
    books = Books();
  }

  // --- Taking ---------------------------------------------------------------------------------

  // Up to `count` items of a bin, or one of its blocks, or one unit of a larger class, written
  // downwards from `end`. 0 only if neither the bin nor the system nor a larger class has any:
  // then the caller gives back what it holds and calls take_last.
  Taken take(const Request& request, Address* end, std::uint32_t count) {
    const Bin bin = Plan::bin_in(request.shard, request.cls);
    Growth<State> growth(*this);
    Taken taken = growth.take_ready(bin, end, count);
    if (taken.count == 0) {
      const auto commit = State::lock_commit();
      taken = growth.grow(request, end, count);
      if (taken.count > 0) {
        pay_for_growth(bin, growth.grown_bytes());
      }
    }
    if (taken.count == 0) {
      taken = growth.take_larger(request, end);
    }
    make_ready(taken);
    return taken;
  }

  // One unit for a size that magazines do not hold: a block, or a run.
  Taken take_large(const Request& request, Address* end) {
    const Taken taken = Plan::is_run(request.cls) ? Taken{} : take(request, end, 1);
    if (taken.count > 0) {
      return taken;
    }
    const auto commit = State::lock_commit();
    return Runs<State>(*this).take(request, end);
  }

  // Law 5, the last attempt before exhaustion is reported: with nobody growing or purging,
  // give_back() returns what this thread holds, then every empty chunk and region goes back to
  // where any class can use it.
  template <class GiveBack>
  Taken take_last(const Request& request, Address* end, std::uint32_t count, GiveBack give_back) {
    const auto commit = State::lock_commit();
    const auto purge = State::lock_purge();
    give_back();
    retire_empty();
    Growth<State> growth(*this);
    Taken taken;
    Request next = request;
    for (; next.cls <= Plan::last_block && taken.count == 0; ++next.cls) {
      if (growth.can_serve(next.cls, request)) {
        taken = growth.grow(next, end, next.cls == request.cls ? count : 1);
      }
    }
    return taken.count > 0 ? taken : Runs<State>(*this).take(request, end);
  }

  // --- Giving ---------------------------------------------------------------------------------

  // Gives back `count` pointers of any kind, one lock for each bin among them; the array is
  // scratch. Bad pointers are added to `reports` and dropped.
  void give(Address* pointers, std::uint32_t count, Reports& reports) {
    while (count > 0) {
      const std::uint64_t offset = pointers[0] - base;
      const Class cls = State::contains(offset) ? State::class_at(offset) : Class{Plan::unused};
      if (Plan::is_item(cls) || Plan::is_block(Plan::bin_class(cls))) {
        count = give_to_bin(State::bin_at(offset, cls), cls, pointers, count, reports);
      } else {
        give_run_or_report(pointers[0], cls, reports);
        std::copy(pointers + 1, pointers + count, pointers);
        --count;
      }
    }
  }

  // --- What an address is ---------------------------------------------------------------------

  // Usable bytes of the live allocation that starts at the address; 0 if none can. Whether it is
  // live is not looked at: the caller holds it.
  std::uint64_t usable_bytes(Address address) {
    const std::uint64_t offset = address - base;
    if (!State::contains(offset)) {
      return 0;
    }
    const Class cls = State::class_at(offset);
    if (Plan::is_run(cls)) {
      return Runs<State>(*this).bytes(offset);
    }
    const Class bin = Plan::bin_class(cls);
    if (!Plan::is_item(bin) && !Plan::is_block(bin)) {
      return 0;
    }
    return Plan::is_unit_start(bin, offset) ? Plan::unit_bytes(bin) : 0;
  }

  // Whether the books have the address as the start of something used. O(1), one lock.
  bool looks_live(Address address) {
    if (usable_bytes(address) == 0) {
      return false;
    }
    const Class cls = State::class_at(address - base);
    return Plan::is_run(cls) || is_used(Plan::bin_class(cls), address);
  }

  // Whether the books have the address as a used item or block of a class. O(1), one lock.
  bool is_used(Class bin_class, Address address) {
    const std::uint64_t offset = address - base;
    const Bin bin = State::bin_at(offset, bin_class);
    const auto lock = State::lock_bin(bin);
    if (State::bin_at(offset, State::class_at(offset)) != bin) {
      return false;
    }
    return Plan::is_block(bin) ? Blocks<State>(*this, bin).is_used(offset)
                               : Items<State>(*this, bin).is_used(offset);
  }

  // Makes a live run longer where it is; false, with nothing changed, if it cannot be.
  bool extend(Address address, std::uint64_t size_bytes) {
    const std::uint64_t offset = address - base;
    if (!Plan::is_run(State::class_at(offset)) || size_bytes > State::heap_bytes) {
      return false;
    }
    return Runs<State>(*this).extend(offset, size_bytes);
  }

  // Drops the contents of whole pages of a live block or run, from `keep_bytes` on; false: the
  // system did not.
  bool trim(Address address, std::uint64_t keep_bytes, std::uint64_t usable) {
    const std::uint64_t keep = round_up(keep_bytes, Plan::chunk_bytes);
    return keep >= usable || State::decommit(Space::heap, address - base + keep, usable - keep);
  }

  // --- Purging --------------------------------------------------------------------------------

  // After a put to `bin`: what is dirty above the bound goes at once.
  void relieve(Bin bin) {
    const std::uint64_t bound = dirty_bound();
    const std::uint64_t refused = refused_bytes();
    if (dirty_bytes() > bound + refused) [[unlikely]] {
      if (const auto purge = State::try_lock_purge()) {
        // Well below the bound, so that the search for what is dirty is not for each free.
        const std::uint64_t goal = bound - bound / 4 + refused;
        note_refused(Purge<State>(*this).whole_units(goal, bin));
      }
    }
  }

  // What one bin has grown by, unused slots and others' free chunks and blocks give back, if more
  // than 1/32 of dirty_bound() (512 KiB) is dirty: memory at its peak is what is live then, not
  // what each class once needed. Just as much, and of units that are no larger, so that it costs no
  // more than the growth did. But what is dirty has to be searched for: small growth (under 1 MiB)
  // pays only when a quarter of the bound is dirty. (Afterwards: an attempt to grow that fails
  // changes nothing.)
  [[clang::requires_capability(role::Commit::held)]]
  void pay_for_growth(Bin bin, std::uint64_t grown_bytes) {
    const std::uint64_t dirty = dirty_bytes();
    const bool is_small = grown_bytes < Purge<State>::search_bytes_min;
    const std::uint64_t limit = dirty_bound() / (is_small ? 4 : 32) + refused_bytes();
    if (dirty > limit && grown_bytes > 0) {
      if (const auto purge = State::try_lock_purge()) {
        const std::uint64_t goal = std::max(limit, dirty - std::min(dirty, grown_bytes));
        note_refused(Purge<State>(*this).units_up_to(grown_bytes, goal, bin));
      }
    }
  }

  // On misses of malloc: the delayed purge.
  void purge_if_due() {
    auto& due = books.control().purge_due_ms;
    const std::uint64_t now = memory.now_ms();
    // Relaxed: a hint when to look; who purges is settled by the lock.
    if (now < due.load(std::memory_order_relaxed)) {
      return;
    }
    if (const auto purge = State::try_lock_purge()) {
      // The first time only starts the clock.
      const bool started = due.load(std::memory_order_relaxed) != 0;
      due.store(now + State::purge_delay_ms, std::memory_order_relaxed);
      if (started) {
        forget_refused();
        Purge<State>(*this).everything_cold();
      }
    }
  }

  // Everything that is free, now.
  void purge() {
    {
      const auto purge = State::lock_purge();
      forget_refused();
      Purge<State>(*this).everything();
    }
    hooks.settled(*this);
  }

 private:
  // Relaxed, as all statistics.
  std::uint64_t refused_bytes() const {
    return books.control().refused_bytes.load(std::memory_order_relaxed);
  }
  [[clang::requires_capability(role::Purge::held)]]
  void note_refused(std::uint64_t bytes) {
    books.control().refused_bytes.store(std::max(refused_bytes(), bytes),
                                        std::memory_order_relaxed);
  }
  void forget_refused() { books.control().refused_bytes.store(0, std::memory_order_relaxed); }
  // So much that is free may be dirty: see dirty_bytes_limit.
  std::uint64_t dirty_bound() const { return std::max(dirty_bytes_max, live_bytes() / 8); }

  // The items of the batch pin their pages. Free ones up to the end of the range may be purged at
  // this moment: then they are resident and known to be zero, until they are used.
  void make_ready(const Taken& taken) {
    if (taken.untouched.begin < taken.untouched.end) {
      State::populate(taken.untouched);
    }
  }

  // The pointers of the class and bin that the first one had when looked at; the others are moved
  // to the front and counted.
  std::uint32_t give_to_bin(Bin bin, Class cls, Address* pointers, std::uint32_t count,
                            Reports& reports) {
    const auto bad = [&](Address pointer, Problem problem) {
      reports.add(State::describe_pointer(problem, pointer));
    };
    const auto lock = State::lock_bin(bin);
    std::uint32_t left = 0;
    for (std::uint32_t i = 0; i < count;) {
      const std::uint64_t offset = pointers[i] - base;
      Outcome outcome;
      if (!State::contains(offset) || State::class_at(offset) != cls ||
          State::bin_at(offset, cls) != bin) {
        // Nobody who holds a unit sees its class change: report the first, never retry it.
        if (i == 0) {
          bad(pointers[0], Problem::unused_region);
        } else {
          pointers[left++] = pointers[i];
        }
        ++i;
      } else if (Plan::is_block(bin)) {
        outcome = Blocks<State>(*this, bin).put(offset);
        if (outcome.problem != Problem::none) {
          bad(pointers[i], outcome.problem);
        }
        ++i;
      } else {
        i += Items<State>(*this, bin).put(pointers + i, count - i, outcome, bad);
      }
      Growth<State>(*this).close(outcome);
    }
    return left;
  }

  void give_run_or_report(Address pointer, Class cls, Reports& reports) {
    const std::uint64_t offset = pointer - base;
    const Problem problem = !State::contains(offset) ? Problem::foreign_pointer
                            : Plan::is_run(cls)      ? Runs<State>(*this).put(offset)
                                                     : Problem::unused_region;
    if (problem != Problem::none) {
      reports.add(State::describe_pointer(problem, pointer));
    }
  }

  struct PutSlots {
    [[clang::requires_capability(role::Segments::held)]]
    void operator()(const Outcome& outcome) const {
      segments.put_slots(outcome.closed_slot, outcome.closed_slots);
    }
    Segments<State>& segments;
  };

  void retire_empty() {
    const typename State::AllBins all(*this);
    Segments<State> segments(*this);
    const PutSlots closed{segments};
    for (Bin bin = 1; bin < books.layout().bins_count(); ++bin) {
      Plan::is_block(bin) ? Blocks<State>(*this, bin).retire_empty(closed)
                          : Items<State>(*this, bin).retire_empty(closed);
    }
  }
};

}  // namespace strata
