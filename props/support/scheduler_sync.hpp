// The Sync seam that the scheduler drives. Both types are used in place over zeroed memory; all
// that the scheduler knows beyond their bytes it keeps beside them, by address.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "props/support/scheduler.hpp"
#include "sync/native.hpp"

namespace strata::check {

struct SchedulingSync {
  class Mutex {
   public:
    bool lock(Rank rank) {
      if (scheduler().single_threaded()) {
        return false;
      }
      scheduler().lock(word_, rank);
      return true;
    }
    bool try_lock(Rank rank, bool& locked) {
      locked = !scheduler().single_threaded();
      return !locked || scheduler().try_lock(word_, rank);
    }
    void unlock(Rank rank) { scheduler().unlock(word_, rank); }

   private:
    std::uint32_t word_ = 0;
  };

  template <class T>
  class Atomic {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= sizeof(std::uint64_t));
    using Order = std::memory_order;

   public:
    Atomic() = default;
    constexpr explicit Atomic(T value) : value_(value) {}

    T load(Order order = std::memory_order_seq_cst) const {
      return from(scheduler().load(&value_, sizeof(T), order));
    }
    void store(T value, Order order = std::memory_order_seq_cst) {
      scheduler().store(&value_, sizeof(T), to(value), order);
    }
    T exchange(T value, Order order = std::memory_order_seq_cst) {
      return update(order, [value](T) { return value; });
    }
    T fetch_add(T value, Order order = std::memory_order_seq_cst) {
      return update(order, [value](T old) { return static_cast<T>(old + value); });
    }
    T fetch_sub(T value, Order order = std::memory_order_seq_cst) {
      return update(order, [value](T old) { return static_cast<T>(old - value); });
    }
    bool compare_exchange_strong(T& expected, T desired, Order success, Order failure) {
      std::uint64_t bits = to(expected);
      const bool done =
          scheduler().compare_exchange(&value_, sizeof(T), bits, to(desired), success, failure);
      expected = from(bits);
      return done;
    }

   private:
    template <class Change>
    T update(Order order, Change change) {
      const T old = from(scheduler().update_begin(&value_, sizeof(T), order));
      scheduler().update_end(&value_, sizeof(T), to(change(old)), order);
      return old;
    }
    static std::uint64_t to(T value) {
      std::uint64_t bits = 0;
      std::memcpy(&bits, &value, sizeof(T));
      return bits;
    }
    static T from(std::uint64_t bits) {
      T value{};
      std::memcpy(&value, &bits, sizeof(T));
      return value;
    }

    T value_{};
  };
};

// The system under the shipped mutex.
struct ScheduledKernel {
  using Word = SchedulingSync::Atomic<std::uint32_t>;
  static constexpr int spins = 1;

  static bool may_elide() { return scheduler().single_threaded(); }
  static void wait(Word& word, std::uint32_t expected) { scheduler().sleep(&word, expected); }
  static void wake_one(Word& word) { scheduler().wake_one(&word); }
  static void pause() {}
  static void rest() {}
};

}  // namespace strata::check
