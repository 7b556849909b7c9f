// From the address of a live object to its number: an open hash table in memory of its own.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

namespace strata::bench {

class LiveObjects {
 public:
  static constexpr std::uint64_t none = UINT64_MAX;

  bool open() {
    void* const mapped = mmap(nullptr, slots * sizeof(Slot), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    table_ = mapped == MAP_FAILED ? nullptr : static_cast<Slot*>(mapped);
    return table_ != nullptr;
  }
  bool is_full() const { return count_ > slots / 2; }

  // Precondition: not there yet.
  void add(const void* pointer, std::uint64_t number) {
    std::size_t at = home(pointer);
    while (table_[at].pointer != nullptr) {
      at = (at + 1) % slots;
    }
    table_[at] = {.pointer = pointer, .number = number};
    ++count_;
  }

  std::uint64_t remove(const void* pointer) {
    std::size_t at = home(pointer);
    for (; table_[at].pointer != pointer; at = (at + 1) % slots) {
      if (table_[at].pointer == nullptr) {
        return none;
      }
    }
    const std::uint64_t number = table_[at].number;
    close_gap(at);
    --count_;
    return number;
  }

 private:
  struct Slot {
    const void* pointer = nullptr;
    std::uint64_t number = 0;
  };
  static constexpr std::size_t slots = std::size_t{1} << 24;

  static std::size_t home(const void* pointer) {
    return reinterpret_cast<std::uintptr_t>(pointer) * 0x9E3779B97F4A7C15 >> 40;
  }
  // Moves back what the gap would hide from those who look for it from their home on.
  void close_gap(std::size_t gap) {
    for (std::size_t at = (gap + 1) % slots; table_[at].pointer != nullptr; at = (at + 1) % slots) {
      const std::size_t from_home = (at - home(table_[at].pointer)) % slots;
      if (from_home >= (at - gap) % slots) {
        table_[gap] = table_[at];
        gap = at;
      }
    }
    table_[gap] = {};
  }

  Slot* table_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace strata::bench
