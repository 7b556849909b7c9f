// A digest of bytes: 128 bits, so that a search may take equal digests for equal states.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace strata::check {

struct Digest {
  std::uint64_t low = 0x9E3779B97F4A7C15;
  std::uint64_t high = 0xC2B2AE3D27D4EB4F;

  // The order of the words counts.
  void add(std::uint64_t word) {
    low = mix(low ^ word, 0xD6E8FEB86659FD93);
    high = mix(high + word, 0xA0761D6478BD642F);
  }

  void add(const std::byte* bytes, std::uint64_t count) {
    std::uint64_t word = 0;
    for (; count >= sizeof word; bytes += sizeof word, count -= sizeof word) {
      std::memcpy(&word, bytes, sizeof word);
      add(word);
    }
    word = 0;
    if (count > 0) {
      std::memcpy(&word, bytes, count);
    }
    add(word ^ (count << 56));
  }

  bool operator==(const Digest&) const = default;

 private:
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a + b) * (b | 1);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
           (a >> 29);
  }
};

}  // namespace strata::check
