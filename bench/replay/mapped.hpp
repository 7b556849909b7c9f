// An array of zeros in memory of its own, all of it resident: what a replay measures is only what
// the replayed malloc takes.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <span>
#include <type_traits>

namespace strata::bench {

template <class T>
class Mapped {
 public:
  explicit Mapped(std::size_t count) : count_(count) {
    void* const mapped = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (mapped == MAP_FAILED) {
      throw std::bad_alloc();
    }
    items_ = static_cast<T*>(mapped);
  }
  Mapped(const Mapped&) = delete;
  Mapped& operator=(const Mapped&) = delete;
  ~Mapped() { munmap(items_, bytes()); }

  T& operator[](std::size_t at) { return items_[at]; }
  const T& operator[](std::size_t at) const { return items_[at]; }
  std::size_t size() const { return count_; }
  std::span<T> all() { return {items_, count_}; }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  std::size_t bytes() const { return (count_ + 1) * sizeof(T); }  // never none

  std::size_t count_;
  T* items_ = nullptr;
};

}  // namespace strata::bench
