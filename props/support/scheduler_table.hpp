// State kept beside objects whose own bytes are all that the allocator sees: a map from addresses
// that is emptied in O(1), since that happens before every execution.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

namespace strata::check {

template <class Value>
class AddressTable {
 public:
  // The value for `address`; a new one is first given to `begin`.
  template <class Begin>
  Value& find(const void* address, Begin begin) {
    const auto number = reinterpret_cast<std::uintptr_t>(address);
    std::size_t at = (number * 0x9E3779B97F4A7C15ULL) >> (64 - slots_log2);
    while (slots_[at].round == round_ && slots_[at].address != number) {
      at = (at + 1) % slots_.size();
    }
    Slot& slot = slots_[at];
    if (slot.round != round_) {
      slot = {number, round_, take()};
      begin(values_[slot.value]);
    }
    return values_[slot.value];
  }

  void clear() {
    ++round_;
    used_ = 0;
  }

  // Drops what is known of an address range, so that its objects begin anew.
  template <class Restart>
  void for_each_in(std::uintptr_t begin, std::uintptr_t end, Restart restart) {
    for (Slot& slot : slots_) {
      if (slot.round == round_ && slot.address >= begin && slot.address < end) {
        restart(reinterpret_cast<const void*>(slot.address), values_[slot.value]);
      }
    }
  }

 private:
  static constexpr unsigned slots_log2 = 10;
  struct Slot {
    std::uintptr_t address = 0;
    std::uint64_t round = 0;
    std::uint32_t value = 0;
  };

  std::uint32_t take() {
    if (used_ == values_.size()) {
      values_.emplace_back();
    }
    if (used_ + 1 >= slots_.size()) {
      std::fputs("more atomics than the scheduler's table holds\n", stderr);
      std::abort();
    }
    return used_++;
  }

  std::array<Slot, std::size_t{1} << slots_log2> slots_{};
  std::vector<Value> values_;  // those past used_ keep their memory for later rounds
  std::uint64_t round_ = 1;
  std::uint32_t used_ = 0;
};

}  // namespace strata::check
