// What the bin map does, without how: the contract that stands for it where code above it is
// proved. The statements here are claimed of the map's own code in binmap_obligations.cpp; what
// may be assumed of a call is the same function.
//
// A map is words of bits, of which those below `bits` count, and the number of its members.
#pragma once

#include <optional>
#include <utility>

#include "props/proofs/memory.hpp"

namespace strata::prove {

// Maps of one kind, side by side in one object: words_each is a power of two.
struct MapShape {
  std::uint64_t bits;
  std::uint64_t words_each;
  Value words;    // what pointers lead to; no code but the map's own reads it
  Value members;  // one bit each, of all maps
  Value sizes;    // of each map its number of members
};

// One map, in any state of the memory.
class MapTerms {
 public:
  MapTerms(const MapShape& shape, Term number) : shape_(&shape), number_(std::move(number)) {}

  const MapShape& shape() const { return *shape_; }
  const Term& number() const { return number_; }

  // Of an index of 32 bits, which may be none: that is no member.
  Term place(const Term& index) const;  // among the members of all maps
  Term is_member(const Memory& memory, const Term& index) const;
  Term size(const Memory& memory) const { return memory.field(shape_->sizes, "size", number_); }
  Term in_range(const Term& index) const;

  // The word w of 64 members, given as `word`: what it says of the member `index`.
  static Term bit_of(const Term& word, const Term& index);
  Term agrees(const Memory& memory, const Term& word, const Term& w, const Term& index) const;

  // Whether the word has no bit beyond the map's end. (Maps end with a word, or are one.)
  Term fits(const Term& word) const;

  // What is true of every set and its size, at one index.
  Term size_counts(const Memory& memory, const Term& index) const;
  // And at two: that both are missing takes two from all.
  Term size_counts(const Memory& memory, const Term& index, const Term& other) const;

 private:
  const MapShape* shape_;
  Term number_;
};

Term no_index_of(z3::context& context);

// `found` is the extreme one of the indices that qualify; of which `other` stands for all.
struct Extreme {
  bool lowest;
  Term bound;  // of 32 bits: lowest from there on, highest below it

  Term qualifies(const Term& index) const;
  // The found one by itself, given whether it is a member.
  Term is_such(const Term& found, const Term& is_member) const;
  // No other one was missed.
  Term is_extreme(const Term& found, const Term& other, const Term& other_is_member) const;
};

// What a call of the contract found, of which more is true at every index than any term can say.
struct Fact {
  int object;  // the words of the map
  Term number;
  // At the witness `index`, if the map is that one.
  std::function<Term(const Term& index)> at;
  // An index that was found: for the path to ask what is known later of that one.
  std::optional<Term> found = std::nullopt;
};

// An index of a map at which each fact counts as soon as it is found: where a path depends on it.
struct Witness {
  int object;  // the words of the map
  Term number, index;
};

}  // namespace strata::prove
