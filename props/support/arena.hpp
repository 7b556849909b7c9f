// Zeroed memory in which only the opened parts may be touched (ASan tells). Arenas are kept for the
// next one of their size: what a fuzz input costs is then the part that it opened, not the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace strata::check {

class Arena {
 public:
  Arena() = default;
  explicit Arena(std::uint64_t size);
  Arena(Arena&& other) noexcept { std::swap(room_, other.room_); }
  Arena& operator=(Arena&& other) noexcept {
    std::swap(room_, other.room_);
    return *this;
  }
  ~Arena();

  std::byte* data() const { return room_.data; }
  void open(std::uint64_t offset, std::uint64_t bytes);
  // Of opened parts.
  void clear(std::uint64_t offset, std::uint64_t bytes);

 private:
  struct Part {
    std::uint64_t begin, end;
  };
  struct Room {
    std::byte* data = nullptr;
    std::uint64_t size = 0;
    std::vector<Part> opened;  // each once, in any order
  };

  // At rest: all zeros, nothing opened. Of one size; thread-local, so without locks.
  static std::vector<Room>& idle(std::uint64_t size);

  Room room_;
};

}  // namespace strata::check
