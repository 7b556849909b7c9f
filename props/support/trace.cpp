#include "props/support/trace.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace strata::check {

std::string to_text(const TraceOperation& op) {
  switch (op.kind) {
    case Kind::deallocate:
      return fmt::format("t{} deallocate #{}", op.thread, op.old);
    case Kind::resize:
      return fmt::format("t{} resize #{} to {}: #{}", op.thread, op.old, op.size, op.object);
    case Kind::allocate_aligned:
      return fmt::format("t{} allocate_aligned {} at 2^{}: #{}", op.thread, op.size, op.align_shift,
                         op.object);
    case Kind::allocate_known:
      return fmt::format("t{} allocate_known {}: #{}", op.thread, op.size, op.object);
    default:
      return fmt::format("t{} allocate {}: #{}", op.thread, op.size, op.object);
  }
}

Program to_program(std::span<const std::uint8_t> trace, std::size_t operations) {
  Program program;
  std::vector<std::uint64_t> live;  // in the order in which they were made
  TraceReader reader(trace);
  for (TraceOperation op; program.operations.size() < operations && reader.next(op);) {
    Operation same = {.kind = op.kind,
                      .thread = static_cast<std::uint8_t>(op.thread % program_threads),
                      .align_shift = op.align_shift,
                      .size = op.size};
    if (op.ends()) {
      const auto found = std::ranges::lower_bound(live, op.old);
      if (found == live.end() || *found != op.old) {
        continue;  // twice freed; a recorded trace has none
      }
      same.k = static_cast<std::uint64_t>(found - live.begin());
      live.erase(found);
    }
    if (op.makes()) {
      live.push_back(op.object);
    }
    program.operations.push_back(same);
  }
  return program;
}

}  // namespace strata::check
