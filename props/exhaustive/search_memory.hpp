// The Memory seam of the state search: a few words of state that can be saved and put back, and a
// list of answers to its next calls, so that every pattern of refusals can be tried.
//
// Left out of the state is which books were committed: committing one again changes nothing. A
// decommit that is refused leaves the contents: of what it may do, the case that matters.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "memory/memory.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

// The answers to the next calls of the system: call i is refused if bit i is set, and what comes
// after the last bit is granted.
struct Answers {
  static constexpr unsigned calls_max = 32;
  std::uint32_t refusals = 0;
  unsigned calls = 0;  // so far

  bool refuses_next() {
    require(calls < calls_max, "more than {} calls of the system", calls_max);
    return ((refusals >> calls++) & 1) != 0;
  }
};

// Heap spaces of up to 64 pages.
template <class Plan>
class SearchMemory {
 public:
  struct Pages {
    std::uint64_t committed = 0;  // bit p: page p of the heap
    std::uint64_t written = 0;    // it may hold something else than zeros
    bool operator==(const Pages&) const = default;
  };
  Pages pages;
  Range part = {0, ~std::uint64_t{0}};  // of the heap, what is present
  Answers answers;
  std::uint64_t clock_ms = 0;

  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
    for (std::size_t i = 0; i < space_count; ++i) {
      if (static_cast<Space>(i) != Space::heap) {
        bytes_[i].assign(sizes[i] / sizeof(std::uint64_t), 0);
      }
    }
    require(sizes[static_cast<std::size_t>(Space::heap)] <= 64 * Plan::page_bytes,
            "the state search knows 64 pages");
    part.end = std::min(part.end, sizes[static_cast<std::size_t>(Space::heap)]);
    base_ = heap_align << 20;
    return true;
  }
  void release() {}
  std::byte* base(Space space) {
    return space == Space::heap
               ? reinterpret_cast<std::byte*>(base_)
               : reinterpret_cast<std::byte*>(bytes_[static_cast<std::size_t>(space)].data());
  }
  Range present() const { return part; }

  bool commit(Space space, std::uint64_t offset, std::uint64_t size) {
    if (answers.refuses_next()) {
      return false;
    }
    if (space == Space::heap) {
      pages.committed |= mask(offset, size);
    }
    return true;
  }

  bool decommit(Space space, std::uint64_t offset, std::uint64_t size) {
    if (space == Space::heap) {
      const std::uint64_t range = mask(offset, size);
      require((pages.committed & range) == range, "decommit of [{:#x}, +{:#x}), not committed",
              offset, size);
      if (answers.refuses_next()) {
        return false;
      }
      pages.written &= ~range;
    }
    return true;
  }
  void advise(Space, std::uint64_t, std::uint64_t, strata::Pages) {}
  void populate(Space space, std::uint64_t offset, std::uint64_t size) const {
    const std::uint64_t range = mask(offset, size);
    require(space == Space::heap && (pages.committed & range) == range,
            "populating [{:#x}, +{:#x}), not committed", offset, size);
  }
  std::uint64_t now_ms() const { return clock_ms; }

  static std::uint64_t mask(std::uint64_t offset, std::uint64_t size) {
    require(offset % Plan::page_bytes == 0 && size % Plan::page_bytes == 0 && size > 0,
            "[{:#x}, +{:#x}) are not whole pages", offset, size);
    return mask_touched(offset, size);
  }
  // Pages that a range touches.
  static std::uint64_t mask_touched(std::uint64_t offset, std::uint64_t size) {
    const std::uint64_t first = offset / Plan::page_bytes;
    const std::uint64_t last = (offset + size - 1) / Plan::page_bytes;
    return (~std::uint64_t{0} >> (63 - last)) & ~((std::uint64_t{1} << first) - 1);
  }

 private:
  std::array<std::vector<std::uint64_t>, space_count> bytes_;
  std::uint64_t base_ = 0;
};

}  // namespace strata::check
