// Bit arithmetic for the plan and the bin maps, as templates over the word type.
//
// Everything above this file that must also run over symbolic words (a solver's bit-vectors) goes
// through these few functions: a solver's type specialises `Bits` and gets the whole plan with it.
// For the same reason the plan never branches on data: it says `select(condition, a, b)`.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>

namespace strata {

template <class Word>
struct Bits {
  static_assert(std::unsigned_integral<Word>);

  // Number of bits needed to write `word`; 0 for 0.
  static constexpr Word width(Word word) { return static_cast<Word>(std::bit_width(word)); }

  // Index of the highest 1. Precondition: word != 0. Written so that it is one instruction.
  static constexpr Word highest(Word word) {
    constexpr Word top = 8 * sizeof(Word) - 1;
    return top ^ static_cast<Word>(std::countl_zero(word));
  }

  // Index of the lowest 1. Precondition: word != 0.
  static constexpr Word lowest(Word word) { return static_cast<Word>(std::countr_zero(word)); }

  static constexpr Word select(bool condition, Word yes, Word no) { return condition ? yes : no; }
};

template <class Word>
constexpr Word bit_width(const Word& word) {
  return Bits<Word>::width(word);
}

template <class Word>
constexpr Word highest_bit(const Word& word) {
  return Bits<Word>::highest(word);
}

template <class Word>
constexpr Word lowest_bit(const Word& word) {
  return Bits<Word>::lowest(word);
}

template <class Condition, class Word>
constexpr Word select(const Condition& condition, const Word& yes, const Word& no) {
  return Bits<Word>::select(condition, yes, no);
}

// `value` rounded up to a multiple of `unit`, a power of two. Wraps to a small value on overflow:
// callers bound `value` first.
template <class Word>
constexpr Word round_up(const Word& value, const Word& unit) {
  return (value + (unit - Word{1})) & ~(unit - Word{1});
}

}  // namespace strata
