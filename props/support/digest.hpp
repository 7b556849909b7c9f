// A digest of bytes: 128 bits, so that a search may take equal digests for equal states.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "props/support/zeros.hpp"

namespace strata::check {

struct Digest {
  std::uint64_t low = 0x9E3779B97F4A7C15;
  std::uint64_t high = 0xC2B2AE3D27D4EB4F;

  // The order of the words counts.
  void add(std::uint64_t word) {
    low = mix(low ^ word, 0xD6E8FEB86659FD93);
    high = mix(high + word, 0xA0761D6478BD642F);
  }

  // Lines of zeros, which books mostly are, count by their place alone.
  void add(const std::byte* bytes, std::uint64_t count) {
    Line line;
    std::uint64_t at = 0;
    while (count - at >= sizeof line) {
      if (count - at >= zeros_skipped && is_zero(bytes + at, zeros_skipped)) {
        at += zeros_skipped;
        continue;
      }
      for (std::uint64_t lines = zeros_skipped / sizeof line;
           lines > 0 && count - at >= sizeof line; --lines, at += sizeof line) {
        std::memcpy(&line, bytes + at, sizeof line);
        add_line(line, at);
      }
    }
    line = {};
    if (count > at) {
      std::memcpy(&line, bytes + at, count - at);
    }
    add_line(line, at);
    add(count);
  }

  bool operator==(const Digest&) const = default;

 private:
  using Line = std::array<std::uint64_t, 8>;
  static constexpr std::uint64_t zeros_skipped = 16 * sizeof(Line);  // at a time

  void add_line(const Line& line, std::uint64_t at) {
    std::uint64_t any = 0;
    for (const std::uint64_t word : line) {
      any |= word;
    }
    if (any != 0) {
      add(at);
      for (const std::uint64_t word : line) {
        add(word);
      }
    }
  }

  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a + b) * (b | 1);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
           (a >> 29);
  }
};

}  // namespace strata::check
