#include "props/proofs/map_contract.hpp"

#include <bit>

namespace strata::prove {

namespace {

Term is_out(const MapTerms& map, const Memory& memory, const Term& index) {
  return map.in_range(index) && !map.is_member(memory, index);
}

}  // namespace

Term no_index_of(z3::context& context) { return context.bv_val(0xFFFF'FFFFU, 32); }

Term MapTerms::place(const Term& index) const {
  const auto shift = static_cast<unsigned>(std::countr_zero(64 * shape_->words_each));
  return z3::concat(number_.extract(63 - shift, 0), index.extract(shift - 1, 0)).simplify();
}

Term MapTerms::is_member(const Memory& memory, const Term& index) const {
  const Term bit = memory.field(shape_->members, "bit", place(index));
  return in_range(index) && bit == bit.ctx().bv_val(1, 1);
}

Term MapTerms::in_range(const Term& index) const {
  return z3::ult(index, index.ctx().bv_val(shape_->bits, 32)).simplify();
}

Term MapTerms::bit_of(const Term& word, const Term& index) {
  const Term at = z3::zext(index.extract(5, 0), 58);
  return z3::lshr(word, at).extract(0, 0);
}

Term MapTerms::agrees(const Memory& memory, const Term& word, const Term& w,
                      const Term& index) const {
  return z3::implies(in_range(index) && z3::lshr(index, 6) == w,
                     (bit_of(word, index) == 1) == is_member(memory, index));
}

Term MapTerms::fits(const Term& word) const {
  z3::context& context = word.ctx();
  return shape_->bits >= 64 ? context.bool_val(true)
                            : z3::lshr(word, context.bv_val(shape_->bits, 64)) == 0;
}

Term MapTerms::size_counts(const Memory& memory, const Term& index) const {
  const Term all = index.ctx().bv_val(shape_->bits, 32);
  const Term count = size(memory);
  return z3::ule(count, all) && z3::implies(is_member(memory, index), count != 0) &&
         z3::implies(is_out(*this, memory, index), count != all);
}

Term MapTerms::size_counts(const Memory& memory, const Term& index, const Term& other) const {
  const Term all = index.ctx().bv_val(shape_->bits, 32);
  return z3::implies(index != other && is_out(*this, memory, index) && is_out(*this, memory, other),
                     z3::ult(size(memory) + 1, all));
}

Term Extreme::qualifies(const Term& index) const {
  return lowest ? z3::uge(index, bound) : z3::ult(index, bound);
}

Term Extreme::is_such(const Term& found, const Term& is_member) const {
  return found == no_index_of(found.ctx()) || (is_member && qualifies(found));
}

Term Extreme::is_extreme(const Term& found, const Term& other, const Term& other_is_member) const {
  const Term not_beyond = lowest ? z3::ule(found, other) : z3::uge(found, other);
  return z3::implies(other_is_member && qualifies(other),
                     found != no_index_of(found.ctx()) && not_beyond);
}

}  // namespace strata::prove
