// The Memory seam of the checks: fails as it is told, has its own clock, checks the protocol, and
// models what the heap space contains without having any.
//
// The heap's base is a made-up number. The other spaces are real memory, zeroed; with ASan, what is
// not committed of them is poisoned, so an access to it is caught at the very instruction.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

#include "memory/memory.hpp"
#include "props/support/arena.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/tagged_space.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

// Which of the next calls are refused.
struct FailureScript {
  std::uint64_t pattern = 0;  // bit i: the i-th call
  bool repeats = false;       // starts again after its highest 1
  unsigned at = 0;

  static constexpr FailureScript always() { return {.pattern = 1, .repeats = true}; }

  bool next() {
    const auto length = static_cast<unsigned>(std::bit_width(pattern));
    if (at >= length && repeats) {
      at = 0;
    }
    if (at >= length) {
      return false;
    }
    return ((pattern >> at++) & 1) != 0;
  }
  bool operator==(const FailureScript&) const = default;
};

template <class Plan>
class ScriptedMemory {
 public:
  // --- What a check sets -------------------------------------------------------------------------
  FailureScript failures;  // of commit and decommit
  std::uint32_t reservations_to_refuse = 0;
  // What other threads do meanwhile, as it were: called in each commit and decommit of the heap.
  std::function<void(std::uint64_t offset, std::uint64_t bytes)> meanwhile;
  std::uint64_t clock_ms = 1;
  std::uint64_t heap_place = std::uint64_t{1} << 46;  // where it is reserved, and one alignment on
  std::uint64_t absent_head_bytes = 0;  // of the heap: what an unaligned reservation lacks
  std::uint64_t absent_tail_bytes = 0;

  // --- What a check reads ------------------------------------------------------------------------
  struct Calls {
    std::uint64_t commits = 0;
    std::uint64_t decommits = 0;
    std::uint64_t refused = 0;
    std::uint64_t advices = 0;
  };
  const Calls& calls() const { return calls_; }
  // What was dropped, in order, for a check to read and clear.
  std::vector<std::pair<Space, Range>> drops;
  Range populated;  // last
  // The advice on pages that was given last for a byte of the heap.
  bool is_advised(std::uint64_t begin, std::uint64_t end, Pages pages) const {
    return advice_.holds(begin, end, static_cast<Tag>(pages));
  }
  Pages advised(std::uint64_t offset) const {
    return is_advised(offset, offset + 1, Pages::huge)    ? Pages::huge
           : is_advised(offset, offset + 1, Pages::small) ? Pages::small
                                                          : Pages::unadvised;
  }
  TaggedSpace& contents() { return contents_; }  // of the heap space
  // What was dropped of the heap space, or might have been, since this was last emptied.
  std::vector<Range>& dropped() { return dropped_; }
  const TaggedSpace& committed(Space space) const { return spaces_[index(space)].committed; }
  std::uint64_t committed_bytes(Space space) const {
    const SpaceState& s = spaces_[index(space)];
    return s.committed.count(1, s.size);
  }
  bool is_committed(Space space, std::uint64_t begin, std::uint64_t end) const {
    return committed(space).holds(begin, end, 1);
  }
  // Mappings that a kernel would have: a space is one when reserved, and every change of protection
  // inside it makes another.
  std::uint64_t mappings() const {
    std::uint64_t count = 0;
    for (const SpaceState& s : spaces_) {
      count += s.committed.pieces();
    }
    return count;
  }
  std::uint64_t size(Space space) const { return spaces_[index(space)].size; }

  // --- The seam ----------------------------------------------------------------------------------
  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
    require(!reserved_, "memory: reserved twice");
    require(std::has_single_bit(heap_align), "memory: heap alignment {:#x}", heap_align);
    if (reservations_to_refuse > 0) {
      --reservations_to_refuse;
      return false;
    }
    for (std::size_t i = 0; i < space_count; ++i) {
      spaces_[i].clear();
      spaces_[i].size = sizes[i];
      if (static_cast<Space>(i) != Space::heap) {
        spaces_[i].arena = Arena(sizes[i]);
      }
    }
    // Far from real addresses, so that a stray dereference faults, and aligned no better than
    // asked.
    heap_base_ = heap_place + heap_align;
    contents_.clear();
    dropped_.clear();
    advice_.clear();
    reserved_ = true;
    return true;
  }

  void release() {
    for (SpaceState& s : spaces_) {
      s.clear();
    }
    reserved_ = false;
  }

  std::byte* base(Space space) const {
    return space == Space::heap ? reinterpret_cast<std::byte*>(heap_base_)
                                : spaces_[index(space)].arena.data();
  }

  Range present() const { return {absent_head_bytes, size(Space::heap) - absent_tail_bytes}; }

  bool commit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    check_range("commit", space, offset, bytes);
    ++calls_.commits;
    others_go_on(space, offset, bytes);
    if (failures.next()) {
      ++calls_.refused;
      return false;
    }
    SpaceState& s = spaces_[index(space)];
    s.committed.write(offset, offset + bytes, 1);
    if (space != Space::heap) {
      s.arena.open(offset, bytes);
    }
    return true;
  }

  bool decommit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    check_range("decommit", space, offset, bytes);
    require(is_committed(space, offset, offset + bytes),
            "memory: decommit of [{:#x}, +{:#x}) in space {}, not all of it committed", offset,
            bytes, static_cast<int>(space));
    ++calls_.decommits;
    others_go_on(space, offset, bytes);
    drops.push_back({space, {offset, offset + bytes}});
    const bool refused = failures.next();
    // A refused one leaves each byte old or zero: the first page goes, the others stay.
    const std::uint64_t dropped = refused ? std::min(page_bytes(space), bytes) : bytes;
    calls_.refused += refused ? 1 : 0;
    if (space == Space::heap) {
      dropped_.push_back({offset, offset + bytes});
      contents_.write(offset, offset + dropped, 0);
    } else {
      spaces_[index(space)].arena.clear(offset, dropped);
    }
    return !refused;
  }

  void advise(Space space, std::uint64_t offset, std::uint64_t bytes, Pages pages) {
    check_range("advise", space, offset, bytes);
    require(space == Space::heap && offset % Plan::region_bytes == 0 &&
                bytes % Plan::region_bytes == 0 && pages != Pages::unadvised,
            "memory: advice on [{:#x}, +{:#x}), which are not whole regions", offset, bytes);
    ++calls_.advices;
    advice_.write(offset, offset + bytes, static_cast<Tag>(pages));
  }

  // What is populated costs memory: it must be committed, and is remembered for who asks.
  void populate(Space space, std::uint64_t offset, std::uint64_t bytes) {
    check_range("populate", space, offset, bytes);
    require(space == Space::heap && is_committed(space, offset, offset + bytes),
            "memory: populating [{:#x}, +{:#x}) in space {}, not all of it committed", offset,
            bytes, static_cast<int>(space));
    populated = {offset, offset + bytes};
  }

  std::uint64_t now_ms() const { return clock_ms; }

 private:
  struct SpaceState {
    std::uint64_t size = 0;
    TaggedSpace committed;  // 1 = committed
    Arena arena;            // none for the heap

    void clear() {
      size = 0;
      committed.clear();
      arena = {};
    }
  };

  static constexpr std::size_t index(Space space) { return static_cast<std::size_t>(space); }

  // A tiny plan has books smaller than a page of any machine; there, a region's book is a page.
  static constexpr std::uint64_t page_bytes(Space space) {
    using L = Layout<Plan, PlainSync>;
    switch (space) {
      case Space::heap:
        return Plan::page_bytes;
      case Space::books:
        return std::min<std::uint64_t>(L::book_bytes, L::page_bytes);
      case Space::item_map:
        return std::min<std::uint64_t>(L::item_map_bytes, L::page_bytes);
      default:
        return L::page_bytes;
    }
  }

  void others_go_on(Space space, std::uint64_t offset, std::uint64_t bytes) {
    if (space == Space::heap && meanwhile) {
      std::exchange(meanwhile, nullptr)(offset, bytes);
    }
  }

  void check_range(const char* call, Space space, std::uint64_t offset, std::uint64_t bytes) const {
    const std::uint64_t end = size(space);
    require(reserved_, "memory: {} without a reservation", call);
    require(bytes > 0 && offset <= end && bytes <= end - offset,
            "memory: {} of [{:#x}, +{:#x}) outside space {} of {:#x}", call, offset, bytes,
            static_cast<int>(space), end);
    require(offset % page_bytes(space) == 0 && bytes % page_bytes(space) == 0,
            "memory: {} of [{:#x}, +{:#x}) in space {}: not whole pages", call, offset, bytes,
            static_cast<int>(space));
    if (space == Space::heap) {
      require(offset >= present().begin && offset + bytes <= present().end,
              "memory: {} of [{:#x}, +{:#x}): absent from the reservation", call, offset, bytes);
    }
  }

  std::array<SpaceState, space_count> spaces_;
  TaggedSpace contents_;
  std::vector<Range> dropped_;
  TaggedSpace advice_;  // a Pages each
  std::uint64_t heap_base_ = 0;
  bool reserved_ = false;
  Calls calls_;
};

}  // namespace strata::check
