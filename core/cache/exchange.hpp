// What goes between a thread's magazines and the heap: a batch comes when malloc misses, the older
// half goes when free finds its magazine full, and all of it when the thread or the program ends or
// nothing is left.
#pragma once

#include <algorithm>

#include "cache/cache.hpp"
#include "heap/heap.hpp"

namespace strata {

struct Allocation {
  Address address = 0;
  bool known_zero = false;  // every byte reads as zero
};

// Lives for one call. Bad pointers are added to `reports`.
template <class Heap>
class Exchange {
  using Plan = typename Heap::Plan;
  using Class = typename Heap::Class;
  using Cache = strata::Cache<Plan>;
  using Limits = Magazines<Plan>;
  using Blocks = BlockMagazines<Plan>;

 public:
  Exchange(Heap& heap, Cache& cache, Reports& reports)
      : heap_(heap), cache_(cache), reports_(reports) {}

  // For what no magazine holds. 0: nothing is left anywhere but in other threads' magazines.
  Allocation take(const Request& request) {
    return Plan::is_item(request.cls) && cache_.has_magazines() ? refill(request)
                                                                : take_one(request);
  }

  // For what no magazine takes as it is. `cls` is that of the bin that the address lies in.
  void give(Class cls, Address address) {
    if (Plan::is_item(cls) && cache_.has_magazines()) {
      make_room(cls);
      cache_.push(cls, address);
    } else if (Blocks::has(cls) && cache_.blocks.contains(cls, address)) {
      reports_.add(heap_.describe_pointer(Problem::double_free, address));
    } else {
      heap_.give(&address, 1, reports_);
    }
  }

  // Everything that the magazines hold.
  void give_back() {
    if (!cache_.has_magazines()) {
      return;
    }
    cache_.each_magazine([this](Class, Address* pointers, std::uint32_t count) {
      heap_.give(pointers, count, reports_);
    });
    cache_.clear();
  }

 private:
  static constexpr std::uint64_t cache_line_bytes = 64;

  // Half of what the magazine may hold comes in one batch; the lowest address is popped first.
  Allocation refill(const Request& request) {
    const Class cls = request.cls;
    // A request for no bytes misses on the hit path, where its class wraps to one without a
    // magazine; this magazine may still have an item.
    if (const Address address = cache_.pop(cls)) {
      return {address, false};
    }
    cache_.grow(cls);
    const std::uint32_t batch = (cache_.limit(cls) + 1) / 2;
    Address* const stack = cache_.pointers(cls);
    Taken taken = heap_.take(request, stack + batch, batch);
    if (taken.count == 0) {
      taken = heap_.take_last(request, stack + batch, batch, [this] { give_back(); });
    }
    if (taken.count == 0) {
      return {};
    }
    std::copy(stack + batch - taken.count, stack + batch, stack);
    // What another thread allocated and this one has freed is among the lowest of its first batch,
    // and may share a line with what others still write to: it goes out last.
    if (Plan::unit_bytes(cls) < cache_line_bytes && cache_.limit(cls) == 2 * Limits::limit_first) {
      std::reverse(stack, stack + taken.count);
    }
    cache_.set_count(cls, taken.count - 1);
    // A single one may be a block: it leaves at once, magazines hold only items.
    return {stack[taken.count - 1], taken.known_zero};
  }

  Allocation take_one(const Request& request) {
    Address address = 0;
    Taken taken = Plan::is_item(request.cls) ? heap_.take(request, &address + 1, 1)
                                             : heap_.take_large(request, &address + 1);
    if (taken.count == 0) {
      taken = heap_.take_last(request, &address + 1, 1, [this] { give_back(); });
    }
    return {address, taken.known_zero};
  }

  // A full magazine first grows; then its older half goes back.
  void make_room(Class cls) {
    if (cache_.grow(cls)) {
      return;
    }
    const std::uint32_t count = cache_.count(cls);
    const std::uint32_t older = (count + 1) / 2;
    Address* const stack = cache_.pointers(cls);
    heap_.give(stack, older, reports_);
    std::copy(stack + older, stack + count, stack);
    cache_.set_count(cls, count - older);
  }

  Heap& heap_;
  Cache& cache_;
  Reports& reports_;
};

}  // namespace strata
