// Reads a string of bytes from the front; past its end it reads as zeros, so that every one
// decodes.
#pragma once

#include <cstdint>
#include <span>

namespace strata::check {

class ByteReader {
 public:
  explicit ByteReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool at_end() const { return bytes_.empty(); }
  void drop_rest() { bytes_ = {}; }

  std::uint8_t byte() {
    if (bytes_.empty()) {
      return 0;
    }
    const std::uint8_t value = bytes_.front();
    bytes_ = bytes_.subspan(1);
    return value;
  }

  // LEB128; bits above the 64th are dropped.
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t part = byte();
      value |= std::uint64_t{part & 0x7FU} << shift;
      if (part < 0x80) {
        break;
      }
    }
    return value;
  }

  // Little endian, `count` bytes.
  std::uint64_t number_of(unsigned count) {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < count; ++i) {
      value |= std::uint64_t{byte()} << (8 * i);
    }
    return value;
  }

 private:
  std::span<const std::uint8_t> bytes_;
};

}  // namespace strata::check
