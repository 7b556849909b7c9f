#include "props/proofs/bit_terms.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace strata::prove {
namespace {

z3::expr number(const z3::expr& like, std::uint64_t value) {
  return like.ctx().bv_val(value, like.get_sort().bv_size());
}

// How many bits at one end are 0 by the look of the term.
unsigned zeros(const z3::expr& term, bool low) {
  std::uint64_t value = 0;
  if (term.is_numeral_u64(value)) {
    const unsigned bits = term.get_sort().bv_size();
    const int count =
        low ? std::countr_zero(value) : std::countl_zero(value) - 64 + static_cast<int>(bits);
    return std::min(static_cast<unsigned>(count), bits);
  }
  if (term.is_app() && term.decl().decl_kind() == Z3_OP_CONCAT) {
    unsigned count = 0;
    for (unsigned i = 0; i < term.num_args(); ++i) {
      const z3::expr part = term.arg(low ? term.num_args() - 1 - i : i);
      const unsigned here = zeros(part, low);
      count += here;
      if (here < part.get_sort().bv_size()) {
        break;
      }
    }
    return count;
  }
  return 0;
}

z3::expr joined(const z3::expr& high, const z3::expr& low, unsigned low_bits) {
  return z3::concat(high.extract(high.get_sort().bv_size() - 1, low_bits),
                    low.extract(low_bits - 1, 0))
      .simplify();
}

}  // namespace

z3::expr sum(const z3::expr& one, const z3::expr& other) {
  const z3::expr a = one.simplify();
  const z3::expr b = other.simplify();
  const unsigned bits = a.get_sort().bv_size();
  for (const auto& [high, low] : {std::pair{a, b}, std::pair{b, a}}) {
    const unsigned low_bits = bits - zeros(low, false);
    if (low_bits == 0) {
      return high;
    }
    if (low_bits < bits && low_bits <= zeros(high, true)) {
      return joined(high, low, low_bits);
    }
  }
  return (a + b).simplify();
}

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
