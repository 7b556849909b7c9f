// The decoder: any byte string is a program, whose canonical form is the same program.

#include <cstddef>
#include <cstdint>

#include "props/support/operation.hpp"
#include "props/support/violation.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace strata::check;
  set_violation_handler(trap_on_violation);
  const Program program = decode({data, size});
  const auto canonical = encode(program);
  // The text of a program costs more than all the rest: only where it is needed.
  if (decode(canonical) != program) {
    violated("decode(encode(x)) is not x:\n" + to_text(program));
  }
  if (encode(decode(canonical)) != canonical) {
    violated("encode is not canonical:\n" + to_text(program));
  }
  return 0;
}
