// Is memory all zeros? What the checks keep of an allocator mostly is, and is read over and over.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace strata::check {

// Only for memory that the caller knows to be open: word by word under ASan it would be the dearest
// thing that a check does.
[[gnu::no_sanitize_address]]
inline bool is_zero(const std::byte* bytes, std::uint64_t count) {
  std::uint64_t any = 0;
  std::uint64_t at = 0;
  std::uint64_t line[8];  // no std::array: its functions, which ASan watches, would stay calls
  for (; count - at >= sizeof line && any == 0; at += sizeof line) {
    std::memcpy(line, bytes + at, sizeof line);
    any = line[0] | line[1] | line[2] | line[3] | line[4] | line[5] | line[6] | line[7];
  }
  for (; at < count && any == 0; ++at) {
    any = static_cast<std::uint64_t>(bytes[at]);
  }
  return any == 0;
}

}  // namespace strata::check
