#include "props/proofs/bit_terms.hpp"

#include <bit>
#include <cstdint>

namespace strata::prove {
namespace {

z3::expr number(const z3::expr& like, std::uint64_t value) {
  return like.ctx().bv_val(value, like.get_sort().bv_size());
}

}  // namespace

// Halving: if the upper half holds a 1, look there, else below it.
z3::expr leading_zeros(const z3::expr& word) {
  const unsigned bits = word.get_sort().bv_size();
  z3::expr rest = word;
  z3::expr highest = number(word, 0);
  for (unsigned half = std::bit_floor(bits - 1); half > 0; half /= 2) {
    const z3::expr upper = z3::lshr(rest, number(word, half));
    const z3::expr is_above = upper != number(word, 0);
    highest = z3::ite(is_above, highest + number(word, half), highest);
    rest = z3::ite(is_above, upper, rest);
  }
  return z3::ite(word == number(word, 0), number(word, bits), number(word, bits - 1) - highest);
}

z3::expr trailing_zeros(const z3::expr& word) {
  const unsigned bits = word.get_sort().bv_size();
  z3::expr rest = word;
  z3::expr lowest = number(word, 0);
  for (unsigned half = std::bit_floor(bits - 1); half > 0; half /= 2) {
    const z3::expr is_above = rest.extract(half - 1, 0) == word.ctx().bv_val(0, half);
    lowest = z3::ite(is_above, lowest + number(word, half), lowest);
    rest = z3::ite(is_above, z3::lshr(rest, number(word, half)), rest);
  }
  return z3::ite(word == number(word, 0), number(word, bits), lowest);
}

// Neighbouring sums of 1, 2, 4, ... bits.
z3::expr ones(const z3::expr& word) {
  const unsigned bits = word.get_sort().bv_size();
  z3::expr sums = word;
  for (unsigned width = 1; width < bits; width *= 2) {
    std::uint64_t lower = 0;
    for (unsigned at = 0; at < bits; at += 2 * width) {
      lower |= ((std::uint64_t{1} << width) - 1) << at;
    }
    const z3::expr mask = number(word, lower);
    sums = (sums & mask) + (z3::lshr(sums, number(word, width)) & mask);
  }
  return sums;
}

}  // namespace strata::prove
