// The input of a target that is not a program of the operation format: read from the front, zeros
// past its end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace strata::check {

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : bytes_(data, size) {}

  bool at_end() const { return bytes_.empty(); }

  // Little endian, `count` bytes.
  std::uint64_t number(unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      value |= std::uint64_t{byte()} << (8 * i);
    }
    return value;
  }

  std::uint8_t byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace strata::check
