// Zeroed memory in which only the opened parts may be touched (ASan tells). Arenas are kept for the
// next one of their size: what a fuzz input costs is then the part that it opened, not the whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

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

 private:
  void swap(Arena& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    std::swap(first_, other.first_);
    std::swap(last_, other.last_);
  }

  std::byte* data_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t first_ = ~std::uint64_t{0};  // all that was opened lies in [first_, last_)
  std::uint64_t last_ = 0;
};

}  // namespace strata::check
