// A trace made ready to replay: each thread's steps in a row, and what the program had live.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/replay/mapped.hpp"
#include "props/support/trace.hpp"

namespace strata::bench {

using check::Kind;

struct Step {
  Kind kind;
  std::uint8_t align_shift;
  std::uint32_t object;
  std::uint32_t old;
  std::uint32_t index;  // in the trace
  std::uint64_t size;
};

struct Script {
  Script(std::uint64_t steps_count, std::uint64_t objects_count)
      : steps(steps_count), sizes(objects_count), live_bytes(steps_count) {}

  std::span<Step> steps_of(unsigned thread) {
    return steps.all().subspan(first[thread], first[thread + 1] - first[thread]);
  }
  unsigned threads() const { return static_cast<unsigned>(first.size() - 1); }

  Mapped<Step> steps;                // by thread
  Mapped<std::uint64_t> sizes;       // of each object
  Mapped<std::uint64_t> live_bytes;  // after each step of the trace, as asked for
  std::vector<std::uint64_t> first;  // step of each thread; then how many there are
  std::uint64_t peak_live_bytes = 0;
};

// Throws std::runtime_error, which names the file, if it is no trace or a step ends an object that
// is not live. is_alone: all steps on one thread.
std::unique_ptr<Script> load_script(const std::string& path, bool is_alone);

}  // namespace strata::bench
