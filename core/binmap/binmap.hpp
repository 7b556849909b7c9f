// The one data structure: words of bits, 1 = free (or: a member), under a summary.
//
// Bit w of the summary says that word w is not zero. A map of up to word_bits^2 bits has a single
// summary word; larger ones have several, looked through in order (two for the 8192 regions of the
// standard space, four for the blocks of a region).
//
// A BinMap is a view: `Words` and `Summary` are anything that can be indexed and assigned through,
// pointers in the allocator. No operation allocates, locks or fails. O(1) but for the walk over
// summary words.
#pragma once

#include <cassert>
#include <cstdint>

#include "plan/bits.hpp"

namespace strata {

inline constexpr std::uint32_t no_index = ~std::uint32_t{0};

template <unsigned WordShift, class Words = std::uint64_t*, class Summary = std::uint64_t*>
class BinMap {
 public:
  using Word = std::uint64_t;
  static constexpr std::uint32_t word_bits = 1U << WordShift;
  static constexpr Word full_word = word_bits == 64 ? ~Word{0} : (Word{1} << word_bits) - 1;

  static constexpr std::uint32_t words_for(std::uint32_t bits) {
    return (bits + word_bits - 1) >> WordShift;
  }
  static constexpr std::uint32_t summary_words_for(std::uint32_t bits) {
    return words_for(words_for(bits));
  }

  constexpr BinMap(Summary summary, Words words, std::uint32_t summary_words = 1)
      : summary_(summary), words_(words), summary_words_(summary_words) {}

  constexpr bool test(std::uint32_t index) const {
    return ((words_[index >> WordShift] >> (index & bit_mask)) & 1) != 0;
  }

  // Whether all of [first, last] are members.
  constexpr bool test_all(std::uint32_t first, std::uint32_t last) const {
    for (std::uint32_t w = first >> WordShift; w <= last >> WordShift; ++w) {
      const Word from = w == first >> WordShift ? full_word << (first & bit_mask) : full_word;
      const Word to =
          w == last >> WordShift ? full_word >> (bit_mask - (last & bit_mask)) : full_word;
      if ((words_[w] & from & to) != (from & to & full_word)) {
        return false;
      }
    }
    return true;
  }

  constexpr bool empty() const { return first_from_summary(0, full_word) == no_index; }

  // Sets the bit; returns false, changing nothing, if it was set (a double free).
  constexpr bool put(std::uint32_t index) {
    const std::uint32_t w = index >> WordShift;
    const Word bit = Word{1} << (index & bit_mask);
    const Word before = words_[w];
    words_[w] = before | bit;
    summary_[w >> WordShift] |= Word{1} << (w & bit_mask);
    return (before & bit) == 0;
  }

  // Many puts in a row to a map of one summary word. The map is whole again when they are finished:
  // until then the word of the last one is here, so that neighbours do not wait for each other's
  // stores.
  class Putter {
   public:
    constexpr explicit Putter(const BinMap& map) : map_(map), word_(map.words_[0]) {
      assert(map.summary_words_ == 1);
    }
    // As BinMap::put.
    constexpr bool put(std::uint32_t index) {
      const std::uint32_t w = index >> WordShift;
      const Word bit = Word{1} << (index & bit_mask);
      if (w != at_) {
        turn_to(w);
      }
      const Word before = word_;
      word_ = before | bit;
      return (before & bit) == 0;
    }
    constexpr void finish() {
      turn_to(at_);
      map_.summary_[0] |= touched_;
    }

   private:
    constexpr void turn_to(std::uint32_t w) {
      map_.words_[at_] = word_;
      touched_ |= select<Word>(word_ != 0, Word{1} << at_, Word{0});
      at_ = w;
      word_ = map_.words_[w];
    }

    BinMap map_;
    std::uint32_t at_ = 0;
    Word word_;
    Word touched_ = 0;
  };

  // Clears the bit; returns false, changing nothing, if it was clear.
  constexpr bool take(std::uint32_t index) {
    const std::uint32_t w = index >> WordShift;
    const Word bit = Word{1} << (index & bit_mask);
    const Word before = words_[w];
    set_word(w, before & ~bit);
    return (before & bit) != 0;
  }

  // Lowest member, or no_index.
  constexpr std::uint32_t first() const {
    const std::uint32_t w = first_from_summary(0, full_word);
    return w == no_index ? no_index : index_of(w, words_[w]);
  }

  // Lowest member >= index, or no_index. `index` may lie past the end.
  constexpr std::uint32_t first_from(std::uint32_t index) const {
    const std::uint32_t w = index >> WordShift;
    const std::uint32_t s = w >> WordShift;
    if (s >= summary_words_) {
      return no_index;
    }
    if (((summary_[s] >> (w & bit_mask)) & 1) != 0) {
      const Word rest = words_[w] & (full_word << (index & bit_mask));
      if (rest != 0) {
        return index_of(w, rest);
      }
    }
    // Words after w: shifted in two steps, as w may be the last of its summary word.
    const std::uint32_t next =
        first_from_summary(s, ((full_word << (w & bit_mask)) << 1) & full_word);
    return next == no_index ? no_index : index_of(next, words_[next]);
  }

  // Highest member < index, or no_index.
  constexpr std::uint32_t last_before(std::uint32_t index) const {
    const std::uint32_t w = index >> WordShift;
    std::uint32_t s = w >> WordShift;
    Word below = 0;
    if (s < summary_words_) {
      const Word mask = (Word{1} << (index & bit_mask)) - 1;
      const Word rest = mask == 0 ? 0 : words_[w] & mask;  // w may be just past the end
      if (rest != 0) {
        return last_index_of(w, rest);
      }
      below = summary_[s] & ((Word{1} << (w & bit_mask)) - 1);
    } else {
      s = summary_words_;
    }
    while (below == 0 && s > 0) {
      below = summary_[--s];
    }
    if (below == 0) {
      return no_index;
    }
    const std::uint32_t found = last_index_of(s, below);
    return last_index_of(found, words_[found]);
  }

  // Highest index < `index` that is a member here and of `other`, a map as large; or no_index. A
  // step for each word with members.
  constexpr std::uint32_t last_in_both_before(const BinMap& other, std::uint32_t index) const {
    for (std::uint32_t at = last_before(index); at != no_index; at = last_before(index)) {
      const std::uint32_t w = at >> WordShift;
      const std::uint32_t above = index - (w << WordShift);
      const Word mask = above < word_bits ? (Word{1} << above) - 1 : full_word;
      const Word both = words_[w] & other.words_[w] & mask;
      if (both != 0) {
        return last_index_of(w, both);
      }
      index = w << WordShift;
    }
    return no_index;
  }

  // What the summary says of a word.
  constexpr bool summary_test(std::uint32_t w) const {
    return ((summary_[w >> WordShift] >> (w & bit_mask)) & 1) != 0;
  }

  // First word with a member; Precondition: not empty. Together with word() and set_word() this
  // takes whole words at a time.
  constexpr std::uint32_t first_word() const { return first_from_summary(0, full_word); }
  constexpr Word word(std::uint32_t w) const { return words_[w]; }
  constexpr void set_word(std::uint32_t w, Word value) {
    assert((value & ~full_word) == 0);
    words_[w] = value;
    const Word bit = Word{1} << (w & bit_mask);
    const Word others = summary_[w >> WordShift] & ~bit;
    summary_[w >> WordShift] = others | select<Word>(value != 0, bit, Word{0});
  }

  // No members, in a map of `bits` bits, whatever was there before.
  constexpr void clear(std::uint32_t bits) {
    for (std::uint32_t w = 0; w < words_for(bits); ++w) {
      words_[w] = 0;
    }
    for (std::uint32_t s = 0; s < summary_words_; ++s) {
      summary_[s] = 0;
    }
  }

  // The lowest `bits` bits become members, whatever was there before.
  constexpr void fill(std::uint32_t bits) {
    const std::uint32_t whole = bits >> WordShift;
    for (std::uint32_t w = 0; w < whole; ++w) {
      words_[w] = full_word;
    }
    if ((bits & bit_mask) != 0) {
      words_[whole] = (Word{1} << (bits & bit_mask)) - 1;
    }
    const std::uint32_t used = words_for(bits);
    for (std::uint32_t s = 0; s < summary_words_; ++s) {
      const std::uint32_t from = s << WordShift;
      const std::uint32_t n = used > from ? used - from : 0;
      summary_[s] = n >= word_bits ? full_word : (Word{1} << n) - 1;
    }
  }

 private:
  static constexpr std::uint32_t bit_mask = word_bits - 1;

  static constexpr std::uint32_t index_of(std::uint32_t w, Word word) {
    return (w << WordShift) + static_cast<std::uint32_t>(lowest_bit(word));
  }
  static constexpr std::uint32_t last_index_of(std::uint32_t w, Word word) {
    return (w << WordShift) + static_cast<std::uint32_t>(bit_width(word)) - 1;
  }

  // First non-zero word whose bit of summary word `s` is in `mask`, or any in later ones.
  constexpr std::uint32_t first_from_summary(std::uint32_t s, Word mask) const {
    for (; s < summary_words_; ++s, mask = full_word) {
      const Word found = summary_[s] & mask;
      if (found != 0) {
        return index_of(s, found);
      }
    }
    return no_index;
  }

  Summary summary_;
  Words words_;
  std::uint32_t summary_words_;
};

}  // namespace strata
