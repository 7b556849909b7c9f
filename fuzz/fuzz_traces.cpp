// The decoder of traces: any byte string is one, whose canonical form is the same trace.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "props/support/trace.hpp"
#include "props/support/violation.hpp"

namespace {

using namespace strata::check;

std::vector<std::uint8_t> rewritten(std::span<const std::uint8_t> trace) {
  std::vector<std::uint8_t> bytes;
  TraceWriter writer([&](std::uint8_t byte) { bytes.push_back(byte); });
  TraceReader reader(trace);
  for (TraceOperation op; reader.next(op);) {
    writer.write(op);
  }
  return bytes;
}

void require_same(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
  TraceReader one(a);
  TraceReader other(b);
  TraceOperation op_of_one;
  TraceOperation op_of_other;
  while (one.next(op_of_one)) {
    require(other.next(op_of_other), "a trace became shorter");
    if (op_of_one != op_of_other) {
      violated(to_text(op_of_one) + " became " + to_text(op_of_other));
    }
  }
  require(!other.next(op_of_other), "a trace became longer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_violation_handler(trap_on_violation);
  const std::span trace(data, size);
  const auto canonical = rewritten(trace);
  require_same(trace, canonical);
  require(rewritten(canonical) == canonical, "the canonical form has another");
  to_program(trace, size);
  return 0;
}
