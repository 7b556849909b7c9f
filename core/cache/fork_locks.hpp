// Every lock that there is, held from one of pthread_atfork's handlers to another.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "cache/registry.hpp"

namespace strata {

template <class Heap>
class ForkLocks {
  using Registry = strata::Registry<Heap>;

 public:
  // Threads may fork at once: this object is the caller's as soon as it holds the first lock.
  void acquire(Heap& heap, Registry& registry) {
    Locks locks(heap, registry);
    std::construct_at(reinterpret_cast<Locks*>(place_), std::move(locks));
  }

  // Out of their place before any of them is free: the next thread that forks puts its own there.
  void release() {
    Locks* const place = std::launder(reinterpret_cast<Locks*>(place_));
    const Locks locks(std::move(*place));
    std::destroy_at(place);
  }

 private:
  struct Locks {
    // From one handler to another: more than the compiler follows.
    [[clang::no_thread_safety_analysis]]
    Locks(Heap& heap, Registry& registry)
        : caches(registry.lock()), all(heap) {}
    typename Registry::Lock caches;
    typename Heap::AllLocks all;
  };

  // Not a member that would have to be destroyed: see Storage.
  alignas(Locks) std::byte place_[sizeof(Locks)]{};
};

}  // namespace strata
