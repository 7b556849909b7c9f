// Size classes of items (group A) as pure arithmetic: size -> class -> size, offset -> item.
//
// Classes count from 1 (0 means "unused region"), and each policy's `class_of_size` continues
// seamlessly into the power-of-two block classes, so that one expression serves every size:
// sizes of 0 (which wraps) and above the last block land on classes that have no magazine.
#pragma once

#include <array>
#include <cstdint>

#include "plan/bits.hpp"

namespace strata::plan {

// Powers of two: 16 B, 32 B, ... 32 KiB in the standard geometry (12 classes).
template <class G>
struct PowersOfTwo {
  static constexpr std::uint32_t item_classes = G::chunk_shift - G::item_shift;

  template <class Word>
  static constexpr Word class_of_size(const Word& size_bytes) {
    const Word last = (size_bytes - Word{1}) | Word{G::item_bytes_min - 1};
    return highest_bit(last) - Word{G::item_shift - 2};
  }

  // For the hit path: class_of_size for sizes of items, a class without a magazine for others.
  static constexpr std::uint64_t magazine_of_size(std::uint64_t size_bytes) {
    return class_of_size(size_bytes);
  }

  template <class Word>
  static constexpr Word item_bytes(const Word& cls) {
    return Word{1} << (cls + Word{G::item_shift - 1});
  }

  template <class Word>
  static constexpr Word item_index(const Word& cls, const Word& byte_in_chunk) {
    return byte_in_chunk >> (cls + Word{G::item_shift - 1});
  }
};

// Four classes a doubling up to an eighth of a chunk (8 KiB), powers of two above: 34 classes in
// the standard geometry. Up to eight times the smallest item the steps are that item's size.
template <class G>
struct FourPerDoubling {
  static constexpr unsigned linear_shift = G::item_shift + 3;
  static constexpr unsigned quarter_shift =
      G::chunk_shift - 3 > linear_shift ? G::chunk_shift - 3 : linear_shift;
  static constexpr std::uint32_t quarter_classes = 8 + 4 * (quarter_shift - linear_shift);
  static constexpr std::uint32_t item_classes =
      quarter_classes + (G::chunk_shift - 1 - quarter_shift);
  static_assert(quarter_shift < G::chunk_shift, "a tiny plan needs chunks of 16 items or more");
  // The multiplier below is exact for every offset in a chunk: see item_index.
  static_assert(2 * G::chunk_shift <= 32);

  template <class Word>
  static constexpr Word class_of_size(const Word& size_bytes) {
    const Word last = (size_bytes - Word{1}) | Word{G::item_bytes_min - 1};
    const Word top = highest_bit(last | (Word{1} << Word{linear_shift - 1}));
    const Word quarter = (top << Word{2}) + (last >> (top - Word{2})) - Word{4 * linear_shift - 5};
    const Word doubling = highest_bit(last) + Word{quarter_classes + 1} - Word{quarter_shift};
    return select(last < (Word{1} << Word{quarter_shift}), quarter, doubling);
  }

  // For the hit path: class_of_size for sizes of items, a class without a magazine for others. By
  // the arithmetic above malloc would be 29 instructions, by this load it is 17; by that of powers
  // of two 16.
  static constexpr std::uint64_t magazine_of_size(std::uint64_t size_bytes) {
    const std::uint64_t step = (size_bytes - 1) >> G::item_shift;  // 0 wraps to the largest
    return step_classes[step < item_steps ? step : item_steps];
  }

  // All three are computed and one is selected; shifts are masked so that the others are defined.
  template <class Word>
  static constexpr Word item_bytes(const Word& cls) {
    const Word above = cls - Word{9};
    const Word quarter = (Word{5} + (above & Word{3}))
                         << (((above >> Word{2}) + Word{G::item_shift + 1}) & Word{63});
    const Word linear = cls << Word{G::item_shift};
    const Word doubling =
        Word{1} << ((cls - Word{quarter_classes} + Word{quarter_shift}) & Word{63});
    return select(cls <= Word{8}, linear, select(cls <= Word{quarter_classes}, quarter, doubling));
  }

  // offset / size by multiplication: with m = ceil(2^32 / size), offset * m exceeds
  // 2^32 * offset / size by less than offset <= 2^16, which is below 2^32 / size: never a step.
  template <class Word>
  static constexpr Word item_index(const Word& cls, const Word& byte_in_chunk) {
    return (byte_in_chunk * reciprocal(cls)) >> Word{32};
  }

 private:
  using Reciprocals = std::array<std::uint32_t, item_classes + 1>;

  static consteval Reciprocals reciprocals() {
    Reciprocals table{};
    for (std::uint64_t cls = 1; cls <= item_classes; ++cls) {
      const std::uint64_t size = item_bytes<std::uint64_t>(cls);
      table[cls] = static_cast<std::uint32_t>(((std::uint64_t{1} << 32) + size - 1) / size);
    }
    return table;
  }

  static constexpr std::uint64_t reciprocal(std::uint64_t cls) {
    constexpr Reciprocals table = reciprocals();
    return table[cls];
  }

  // The class of each step of item_bytes_min; sizes of one step differ in bits that class_of_size
  // does not look at. The last entry is for all that are no items.
  static constexpr std::uint64_t item_steps = G::item_bytes_max >> G::item_shift;
  static constexpr auto step_classes = [] {
    std::array<std::uint8_t, item_steps + 1> table{};
    for (std::uint64_t step = 0; step <= item_steps; ++step) {
      table[step] =
          static_cast<std::uint8_t>(class_of_size<std::uint64_t>((step + 1) << G::item_shift));
    }
    return table;
  }();
};

}  // namespace strata::plan
