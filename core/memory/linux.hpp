// The shipped Memory seam: private anonymous mappings.
#pragma once

#include <cstddef>

#include "memory/memory.hpp"

namespace strata {

class Linux {
 public:
  constexpr Linux() = default;

  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align);
  void release();
  std::byte* base(Space space) const { return bases_[index(space)]; }
  Range present() const { return present_; }
  bool commit(Space space, std::uint64_t offset, std::uint64_t size);
  bool decommit(Space space, std::uint64_t offset, std::uint64_t size);
  void advise(Space space, std::uint64_t offset, std::uint64_t size, Pages pages);
  void populate(Space space, std::uint64_t offset, std::uint64_t size);
  std::uint64_t now_ms() const;

  // Bytes of address space that all spaces together may take: half of RLIMIT_AS, or all there is.
  static std::uint64_t address_space_max();
  // That the process may run on; 1 if the system does not say.
  static std::uint32_t processors();

 private:
  struct Mapping {
    void* address = nullptr;
    std::uint64_t size = 0;
  };
  static constexpr std::size_t index(Space space) { return static_cast<std::size_t>(space); }
  // Not by a pointer's arithmetic: a base may lie outside what is mapped.
  void* address(Space space, std::uint64_t offset) const {
    return reinterpret_cast<void*>(reinterpret_cast<std::uintptr_t>(base(space)) + offset);
  }
  Mapping reserve_heap(std::uint64_t size, std::uint64_t align);

  std::array<Mapping, space_count> mappings_{};
  std::array<std::byte*, space_count> bases_{};
  Range present_;
};

}  // namespace strata
