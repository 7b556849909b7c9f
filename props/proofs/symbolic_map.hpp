// A bin map as the proofs see it: any state, and what must hold of one that is right.
#pragma once

#include "props/proofs/proof.hpp"

namespace strata::prove {

// One, two or four summary words: a chunk's items and a region's chunks, the 8192 regions of the
// space, a region's 16384 blocks.
class SymbolicMap {
 public:
  SymbolicMap(Proof& proof, std::uint64_t summary_words)
      : proof_(proof),
        summary_(proof.records({"summary", 8, summary_words, {{"word", 0, 64}}})),
        words_(proof.records({"words", 8, 64 * summary_words, {{"word", 0, 64}}})),
        summary_words_(summary_words) {}

  Proof::Arguments arguments(const std::vector<Term>& more) const {
    Proof::Arguments all = {summary_, words_, {proof_.number(summary_words_, 32)}};
    for (const Term& each : more) {
      all.push_back({each});
    }
    return all;
  }

  // --- Inputs: the index of a bit, of a word
  Term bits() const { return proof_.number(4096 * summary_words_, 32); }
  Term index(const std::string& name) const { return below(name, bits()); }
  Term word_index(const std::string& name) const {
    return below(name, proof_.number(64 * summary_words_, 32));
  }

  // --- Contents ----------------------------------------------------------------------------------
  Term word(const Memory& memory, const Term& w) const {
    return memory.field(words_, "word", z3::zext(w, 32));
  }
  Term summary(const Memory& memory, const Term& s) const {
    return memory.field(summary_, "word", z3::zext(s, 32));
  }
  Term none() const { return proof_.number(0xFFFF'FFFF, 32); }
  static Term word_of(const Term& index) { return z3::lshr(index, 6); }
  Term bit(const Term& word, const Term& at) const {
    return z3::lshr(word, z3::zext(at.extract(5, 0), 58)).extract(0, 0) == proof_.number(1, 1);
  }
  Term is_member(const Memory& memory, const Term& index) const {
    return bit(word(memory, word_of(index)), index);
  }
  Term summary_bit(const Memory& memory, const Term& w) const {
    return bit(summary(memory, word_of(w)), w);
  }

  // --- The invariant: a word's summary bit says whether it is zero ------------------------------
  Term is_right(const Memory& memory, const Term& w) const {
    return summary_bit(memory, w) == (word(memory, w) != 0);
  }
  void assume_right(const Term& w) { proof_.assume(is_right(proof_.memory(), w)); }
  // At every word that the code looked at.
  void assume_right_where_read(const Memory& memory) {
    for (const Term& w : memory.read(words_.object)) {
      assume_right(w.extract(31, 0));
    }
  }
  const std::vector<Term>& words_read(const Memory& memory) const {
    return memory.read(words_.object);
  }

 private:
  Term below(const std::string& name, const Term& end) const {
    const Term made = proof_.u32(name);
    proof_.assume(z3::ult(made, end));
    return made;
  }

  Proof& proof_;
  Value summary_, words_;
  std::uint64_t summary_words_;
};

}  // namespace strata::prove
