// The seams of the code under proof: one thread, nothing but books.
#pragma once

#include <cstdint>

#include "heap/state.hpp"

namespace strata {

struct ProofSync {
  // An atomic by one thread: the value.
  template <class T>
  struct Atomic {
    T value;
    T load(std::memory_order) const { return value; }
    void store(T stored, std::memory_order) { value = stored; }
    T fetch_add(T added, std::memory_order) { return std::exchange(value, value + added); }
    T fetch_sub(T subtracted, std::memory_order) {
      return std::exchange(value, value - subtracted);
    }
  };
  struct Mutex {
    bool lock(Rank) { return false; }
    bool try_lock(Rank, bool& locked) {
      locked = false;
      return true;
    }
    void unlock(Rank) {}
  };
};

// No system: what never calls it needs none.
struct ProofMemory {};

template <class Plan>
using ProofState = State<Plan, ProofMemory, ProofSync, NoHooks>;

}  // namespace strata
