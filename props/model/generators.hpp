// RapidCheck generators of operations.
#pragma once

#include <rapidcheck.h>

#include <algorithm>
#include <ostream>
#include <vector>

#include "props/support/operation.hpp"

namespace strata::check {

// How RapidCheck shows one.
inline void showValue(const Setup& setup, std::ostream& out) {
  out << to_text(Program{.setup = setup});
}

// Sizes whose magnitude is uniform up to 2^shift_max, mostly near a power of two.
inline rc::Gen<std::uint64_t> any_size(unsigned shift_max) {
  return rc::gen::mapcat(rc::gen::inRange(0U, shift_max + 1), [](unsigned shift) {
    return rc::gen::inRange(shift == 0 ? 0 : (std::uint64_t{1} << shift) - 2,
                            (std::uint64_t{1} << shift) + 3);
  });
}

// Each operand that a kind does not have stays as it is by default: that is the canonical form.
inline rc::Gen<Operation> operation_of(Kind kind, unsigned shift_max) {
  using namespace rc;
  const auto number = [](std::uint64_t end) { return gen::inRange<std::uint64_t>(0, end); };
  const auto with = [&](const auto&... operands) {
    return gen::build(gen::just(Operation{.kind = kind}),
                      gen::set(&Operation::thread, gen::inRange<std::uint8_t>(0, program_threads)),
                      operands...);
  };
  const auto size = gen::set(&Operation::size, any_size(shift_max));
  const auto k = gen::set(&Operation::k, number(300));
  const auto n = [](const Gen<std::uint64_t>& numbers) {
    return gen::set(&Operation::number, numbers);
  };
  switch (kind) {
    case Kind::allocate:
    case Kind::allocate_known:
      return with(size);
    case Kind::allocate_aligned: {
      const auto end = static_cast<std::uint8_t>(std::min(shift_max + 2, 64U));
      return with(size, gen::set(&Operation::align_shift, gen::inRange<std::uint8_t>(0, end)));
    }
    case Kind::resize:
      return with(k, size);
    case Kind::deallocate:
      return with(k);
    case Kind::bad_deallocate:
      return with(gen::set(&Operation::bad, gen::cast<Bad>(gen::inRange<std::uint8_t>(0, bads))), k,
                  n(gen::arbitrary<std::uint64_t>()));
    case Kind::fail_memory:
      return with(gen::set(&Operation::repeats), n(number(64)));
    case Kind::advance:
      return with(n(gen::map(number(300), [](std::uint64_t steps) { return 16 * steps; })));
    case Kind::repeat:
      return with(n(number(70)));
    case Kind::choices:
      return with(gen::set(&Operation::choices));
    default:
      return with();
  }
}

inline rc::Gen<Operation> any_operation() {
  return rc::gen::mapcat(rc::gen::inRange<std::uint8_t>(0, kinds), [](std::uint8_t kind) {
    return operation_of(static_cast<Kind>(kind), 63);
  });
}

}  // namespace strata::check
