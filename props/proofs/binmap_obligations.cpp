// The bin map: every operation, from any state in which the summary is right.

#include "props/proofs/proof.hpp"

namespace strata::prove {
namespace {

Shape words(const std::string& name, std::uint64_t count) { return {name, 8, count, {{"word", 0, 64}}}; }

// A map of up to 4096 bits, or the 8192 regions' or a region's 16384 blocks', as the allocator has
// them: one, two and four summary words.
class Map {
 public:
  Map(Proof& proof, std::uint64_t summary_words)
      : proof_(proof),
        summary_(proof.records(words("summary", summary_words))),
        words_(proof.records(words("words", 64 * summary_words))),
        summary_words_(summary_words) {}

  Proof::Arguments arguments(const std::vector<Term>& more) const {
    Proof::Arguments all = {summary_, words_, {proof_.number(summary_words_, 32)}};
    for (const Term& each : more) {
      all.push_back({each});
    }
    return all;
  }

  std::uint64_t bits() const { return 4096 * summary_words_; }
  Term index(const std::string& name) {
    const Term made = proof_.u32(name);
    proof_.assume(z3::ult(made, proof_.number(bits(), 32)));
    return made;
  }

  Term word(const Memory& memory, const Term& w) const {
    return memory.field(words_, "word", z3::zext(w, 32));
  }
  Term summary(const Memory& memory, const Term& s) const {
    return memory.field(summary_, "word", z3::zext(s, 32));
  }
  Term word_of(const Term& index) const { return z3::lshr(index, 6); }
  Term bit(const Term& word, const Term& at) const {
    return (z3::lshr(word, z3::zext(at & proof_.number(63, 32), 32)) & proof_.number(1)) ==
           proof_.number(1);
  }

  Term is_member(const Memory& memory, const Term& index) const {
    return bit(word(memory, word_of(index)), index);
  }
  // The invariant, of one word: the summary says whether it is zero.
  Term is_right(const Memory& memory, const Term& w) const {
    return bit(summary(memory, word_of(w)), w) == (word(memory, w) != proof_.number(0));
  }
  void assume_right_where_read(const Memory& memory) {
    for (const Term& w : memory.read(words_.object)) {
      assume_right(w.extract(31, 0));
    }
  }
  void assume_right(const Term& w) { proof_.assume(is_right(proof_.memory(), w)); }

 private:
  Proof& proof_;
  Value summary_, words_;
  std::uint64_t summary_words_;
};

Term is_true(const Value& result) { return result.term == result.term.ctx().bv_val(1, 1); }

void put(Proof& proof, std::uint64_t summary_words) {
  Map map(proof, summary_words);
  const Term index = map.index("index");
  const Term other = map.index("other");
  map.assume_right(map.word_of(index));
  map.assume_right(map.word_of(other));
  proof.after("binmap_put", map.arguments({index}), [&](const End& end) {
    const Memory& before = proof.memory();
    proof.claim("the unit is a member", map.is_member(end.memory, index));
    proof.claim("no other unit changes",
                other == index ||
                    map.is_member(end.memory, other) == map.is_member(before, other));
    proof.claim("the summary is right", map.is_right(end.memory, map.word_of(other)));
    proof.claim("it reports a double free, and only that",
                is_true(end.result) == !map.is_member(before, index));
  });
}

void first_from(Proof& proof, std::uint64_t summary_words) {
  Map map(proof, summary_words);
  const Term index = proof.u32("index");
  const Term other = map.index("other");
  map.assume_right(map.word_of(other));
  proof.after("binmap_first_from", map.arguments({index}), [&](const End& end) {
    map.assume_right_where_read(end.memory);
    const Memory& before = proof.memory();
    const Term found = end.result.term;
    const Term none = found == proof.number(0xFFFF'FFFF, 32);
    proof.claim("what it finds is a member, not below the index",
                none || (z3::ult(found, proof.number(map.bits(), 32)) &&
                         map.is_member(before, found) && z3::uge(found, index)));
    proof.claim("no member lies between",
                z3::implies(map.is_member(before, other) && z3::uge(other, index),
                            !none && z3::ule(found, other)));
  });
}

}  // namespace

std::vector<Obligation> binmap_obligations() {
  std::vector<Obligation> all;
  for (const std::uint64_t n : {1U, 2U, 4U}) {
    const std::string of = " (" + std::to_string(4096 * n) + " bits)";
    all.push_back({"put" + of, [n](Proof& proof) { put(proof, n); }});
    all.push_back({"first_from" + of, [n](Proof& proof) { first_from(proof, n); }});
  }
  return all;
}

}  // namespace strata::prove
