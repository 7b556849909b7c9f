// What lives in a small heap space, as two sets of its granules (places of the smallest item):
// where a unit starts, and what units cover. Equal pairs are equal units.
#pragma once

#include <array>
#include <bit>
#include <cassert>
#include <cstdint>

namespace strata::check {

template <class Plan>
class Units {
 public:
  static constexpr std::uint64_t granule_bytes = Plan::item_bytes_min;
  static constexpr std::uint32_t granules_max = 256;

  void add(std::uint64_t offset, std::uint64_t bytes) {
    starts_[word(granule(offset))] |= bit(granule(offset));
    change(offset, bytes, true);
  }
  // Precondition: a unit starts there.
  void remove(std::uint64_t offset) {
    const std::uint64_t bytes = bytes_at(offset);
    starts_[word(granule(offset))] &= ~bit(granule(offset));
    change(offset, bytes, false);
  }

  bool starts_at(std::uint64_t offset) const {
    return offset % granule_bytes == 0 && has(starts_, granule(offset));
  }
  bool touches(std::uint64_t offset, std::uint64_t bytes) const {
    for (std::uint32_t g = granule(offset); g <= granule(offset + bytes - 1); ++g) {
      if (has(covered_, g)) {
        return true;
      }
    }
    return false;
  }
  // Precondition: a unit starts there.
  std::uint64_t bytes_at(std::uint64_t offset) const {
    assert(starts_at(offset));
    std::uint32_t end = granule(offset) + 1;
    while (end < granules_max && has(covered_, end) && !has(starts_, end)) {
      ++end;
    }
    return (end - granule(offset)) * granule_bytes;
  }
  // Calls visit(offset, bytes) for each, in address order.
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t w = 0; w < starts_.size(); ++w) {
      for (std::uint64_t rest = starts_[w]; rest != 0; rest &= rest - 1) {
        const std::uint64_t offset =
            (w * 64 + static_cast<unsigned>(std::countr_zero(rest))) * granule_bytes;
        visit(offset, bytes_at(offset));
      }
    }
  }

  // Calls visit(word) for all that tells these units from others.
  template <class Visit>
  void each_word(Visit visit) const {
    for (std::uint32_t w = 0; w < starts_.size(); ++w) {
      visit(starts_[w]);
      visit(covered_[w]);
    }
  }

  bool operator==(const Units&) const = default;

 private:
  using Set = std::array<std::uint64_t, granules_max / 64>;

  static std::uint32_t granule(std::uint64_t offset) {
    const std::uint64_t granule = offset / granule_bytes;
    assert(granule < granules_max);
    return static_cast<std::uint32_t>(granule);
  }
  static std::uint32_t word(std::uint32_t granule) { return granule / 64; }
  static std::uint64_t bit(std::uint32_t granule) { return std::uint64_t{1} << (granule % 64); }
  static bool has(const Set& set, std::uint32_t granule) {
    return (set[word(granule)] & bit(granule)) != 0;
  }
  void change(std::uint64_t offset, std::uint64_t bytes, bool covered) {
    for (std::uint32_t g = granule(offset); g <= granule(offset + bytes - 1); ++g) {
      covered_[word(g)] = covered ? covered_[word(g)] | bit(g) : covered_[word(g)] & ~bit(g);
    }
  }

  Set starts_{};
  Set covered_{};
};

}  // namespace strata::check
