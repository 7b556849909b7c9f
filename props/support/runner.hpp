// What runs operations on a fresh allocator, whichever that is: see Driver. So that what only draws
// or reads operations need not be compiled once for each allocator.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "props/support/operation.hpp"

namespace strata::check {

struct Effort {
  // Operations between two validations from scratch. After each operation the chunks and blocks
  // that it changed are recomputed anyhow.
  std::uint64_t validate_interval = 1;
  std::uint64_t operations_max = 10'000;  // repeats included; what comes after is passed over
};

class Runner {
 public:
  Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  virtual ~Runner() = default;

  virtual void execute(const Operation& op) = 0;
  // Everything goes back; then nothing may be left of it anywhere, and the whole space is one
  // again.
  virtual void finish() = 0;
  virtual std::uint64_t failed_allocations() const = 0;

  void run(const Program& program) {
    for (const Operation& op : program.operations) {
      execute(op);
    }
    finish();
  }
};

using MakeRunner = std::unique_ptr<Runner>(const Setup& setup, const Effort& effort);

// The heap of `Plan` on scripted memory; of the plans of plans.hpp and the real ones.
template <class Plan>
MakeRunner scripted_runner;
// Each of them by the name that tools and fuzz targets (fuzz_heap_NAME) have for its plan, which is
// `type` in C++.
struct NamedRunner {
  const char* name;
  const char* type;
  MakeRunner* make;
};
extern const std::array<NamedRunner, 6> named_runners;

// The heap of plan::Pow2 on the system's memory: contents are bytes, and what is not writable
// faults.
MakeRunner real_runner;

}  // namespace strata::check
