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
  Arena(Arena&& other) noexcept { swap(other); }
  Arena& operator=(Arena&& other) noexcept {
    swap(other);
    return *this;
  }
  ~Arena();

  std::byte* data() const { return data_; }
  void open(std::uint64_t offset, std::uint64_t bytes);
  // Of opened parts.
  void clear(std::uint64_t offset, std::uint64_t bytes);

 private:
  void swap(Arena& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(opened_, other.opened_);
  }

  struct Part {
    std::uint64_t begin, end;
  };

  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::vector<Part> opened_;  // each once, in any order
};

}  // namespace strata::check
