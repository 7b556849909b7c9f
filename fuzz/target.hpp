// A fuzz target is one line: a plan. Any byte string is a program; a violation traps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "props/support/driver.hpp"
#include "props/support/operation.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

template <class Plan>
int fuzz_heap(const std::uint8_t* data, std::size_t size, const Effort& effort) {
  set_violation_handler(trap_on_violation);
  run_program<Plan>(decode({data, size}), effort);
  return 0;
}

}  // namespace strata::check
