// What a driver sees of the memory under the allocator: the scripted one, whose contents are
// modelled, or the system's, whose contents are bytes.
#pragma once

#include <algorithm>

#include "memory/linux.hpp"
#include "props/support/digest.hpp"
#include "props/support/operation.hpp"
#include "props/support/scripted_memory.hpp"

namespace strata::check {

template <class Memory>
class World;

template <class Plan>
class World<ScriptedMemory<Plan>> {
 public:
  static constexpr bool is_scripted = true;
  explicit World(ScriptedMemory<Plan>& memory) : memory_(memory) {}

  void prepare(const Setup& setup) {
    memory_.absent_head_bytes = setup.absent_head ? Plan::page_bytes : 0;
    memory_.absent_tail_bytes = setup.absent_tail ? Plan::page_bytes : 0;
  }
  void fail(const FailureScript& script) { memory_.failures = script; }
  void advance(std::uint64_t milliseconds) { memory_.clock_ms += milliseconds; }

  std::uint64_t refused() const { return memory_.calls().refused; }
  std::uint64_t decommits() const { return memory_.calls().decommits; }
  std::uint64_t mappings() const { return memory_.mappings(); }
  // Calls visit(begin, end) for what was dropped since the last time: nothing else loses contents.
  template <class Visit>
  void each_dropped(Visit visit) {
    for (const Range& range : memory_.dropped()) {
      visit(range.begin, range.end);
    }
    memory_.dropped().clear();
  }
  bool is_writable(std::uint64_t begin, std::uint64_t end) const {
    return memory_.is_committed(Space::heap, begin, end);
  }
  bool is_advised(std::uint64_t begin, std::uint64_t end, Pages pages) const {
    return memory_.is_advised(begin, end, pages);
  }

  void write(std::uint64_t begin, std::uint64_t end, Tag tag) {
    memory_.contents().write(begin, end, tag);
  }
  bool holds(std::uint64_t begin, std::uint64_t end, Tag tag) const {
    return memory_.contents().holds(begin, end, tag);
  }
  template <class Visit>
  void each_written(Visit visit) const {
    memory_.contents().each_written(visit);
  }

  // Of everything that the allocator knows, magazines apart.
  Digest books_digest() const {
    Digest digest;
    for (const Space space : {Space::control, Space::books, Space::item_map}) {
      memory_.committed(space).each_written([&](std::uint64_t begin, std::uint64_t end, Tag) {
        digest.add(memory_.base(space) + begin, end - begin);
        return true;
      });
    }
    return digest;
  }

 private:
  ScriptedMemory<Plan>& memory_;
};

// Real pages: what is not writable faults, and contents are compared byte by byte. Of long objects
// samples are, as touching gigabytes would take the whole budget.
template <>
class World<Linux> {
 public:
  static constexpr bool is_scripted = false;
  explicit World(Linux& memory) : memory_(memory) {}

  void prepare(const Setup&) {}
  void fail(const FailureScript&) {}
  void advance(std::uint64_t) {}
  std::uint64_t refused() const { return 0; }
  std::uint64_t decommits() const { return 0; }
  std::uint64_t mappings() const { return 0; }
  template <class Visit>
  void each_dropped(Visit) {}
  bool is_writable(std::uint64_t, std::uint64_t) const { return true; }
  bool is_advised(std::uint64_t, std::uint64_t, Pages) const { return true; }

  void write(std::uint64_t begin, std::uint64_t end, Tag tag) {
    sample(begin, end, [&](std::byte& byte, std::uint64_t at) {
      byte = value(at, tag);
      return true;
    });
  }
  bool holds(std::uint64_t begin, std::uint64_t end, Tag tag) const {
    return sample(begin, end,
                  [&](std::byte& byte, std::uint64_t at) { return byte == value(at, tag); });
  }

 private:
  // All of the first page, then some bytes from each power of two on: the same ones whatever the
  // end, as objects are resized.
  static constexpr std::uint64_t whole = 4096;
  static constexpr std::uint64_t piece = 64;

  static std::byte value(std::uint64_t at, Tag tag) {
    return tag == 0 ? std::byte{0} : static_cast<std::byte>((at * 31 + tag * 97) | 1);
  }
  template <class Visit>
  bool sample(std::uint64_t begin, std::uint64_t end, Visit visit) const {
    std::byte* const heap = memory_.base(Space::heap);
    const auto all = [&](std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t at = from; at < std::min(to, end); ++at) {
        if (!visit(heap[at], at)) {
          return false;
        }
      }
      return true;
    };
    bool good = all(begin, begin + whole);
    for (std::uint64_t distance = whole; begin + distance < end; distance *= 2) {
      good = good && all(begin + distance, begin + distance + piece);
    }
    return good;
  }

  Linux& memory_;
};

}  // namespace strata::check
