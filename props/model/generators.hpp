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
  const auto number = gen::inRange<std::uint64_t>(0, 300);
  const auto make = [kind](std::uint8_t thread) {
    return Operation{.kind = kind, .thread = thread};
  };
  const auto thread = gen::inRange<std::uint8_t>(0, program_threads);
  switch (kind) {
    case Kind::allocate:
    case Kind::allocate_known:
      return gen::apply(
          [=](std::uint8_t t, std::uint64_t size) {
            Operation op = make(t);
            op.size = size;
            return op;
          },
          thread, any_size(shift_max));
    case Kind::allocate_aligned:
      return gen::apply(
          [=](std::uint8_t t, std::uint64_t size, std::uint8_t align) {
            Operation op = make(t);
            op.size = size;
            op.align_shift = align;
            return op;
          },
          thread, any_size(shift_max),
          gen::inRange<std::uint8_t>(0, static_cast<std::uint8_t>(std::min(shift_max + 2, 64U))));
    case Kind::resize:
      return gen::apply(
          [=](std::uint8_t t, std::uint64_t k, std::uint64_t size) {
            Operation op = make(t);
            op.k = k;
            op.size = size;
            return op;
          },
          thread, number, any_size(shift_max));
    case Kind::deallocate:
      return gen::apply(
          [=](std::uint8_t t, std::uint64_t k) {
            Operation op = make(t);
            op.k = k;
            return op;
          },
          thread, number);
    case Kind::bad_deallocate:
      return gen::apply(
          [=](std::uint8_t t, std::uint8_t bad, std::uint64_t k, std::uint64_t n) {
            Operation op = make(t);
            op.bad = static_cast<Bad>(bad);
            op.k = k;
            op.number = n;
            return op;
          },
          thread, gen::inRange<std::uint8_t>(0, bads), number, gen::arbitrary<std::uint64_t>());
    case Kind::fail_memory:
      return gen::apply(
          [=](std::uint8_t t, bool repeats, std::uint64_t n) {
            Operation op = make(t);
            op.repeats = repeats;
            op.number = n;
            return op;
          },
          thread, gen::arbitrary<bool>(), gen::inRange<std::uint64_t>(0, 64));
    case Kind::advance:
    case Kind::repeat:
      return gen::apply(
          [=](std::uint8_t t, std::uint64_t n) {
            Operation op = make(t);
            op.number = kind == Kind::advance ? n * 16 : n % 70;
            return op;
          },
          thread, number);
    case Kind::choices:
      return gen::apply(
          [=](std::uint8_t t, const std::vector<std::uint8_t>& choices) {
            Operation op = make(t);
            op.choices = choices;
            return op;
          },
          thread, gen::arbitrary<std::vector<std::uint8_t>>());
    default:
      return gen::map(thread, make);
  }
}

inline rc::Gen<Operation> any_operation() {
  return rc::gen::mapcat(rc::gen::inRange<std::uint8_t>(0, kinds), [](std::uint8_t kind) {
    return operation_of(static_cast<Kind>(kind), 63);
  });
}

}  // namespace strata::check
