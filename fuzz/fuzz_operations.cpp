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
  require(decode(canonical) == program, "decode(encode(x)) is not x:\n{}", to_text(program));
  require(encode(decode(canonical)) == canonical, "encode is not canonical:\n{}", to_text(program));
  return 0;
}
