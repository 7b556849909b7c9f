// The Memory seam under the scheduler: five small real arrays. commit and decommit are system
// calls, so other threads may run before them, and they may be told to fail.
//
// Races with the system are found as well: dropping a page counts as a write of all its bytes, and
// touching what was never committed fails the execution.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "memory/memory.hpp"

namespace strata::check {

class ScheduledMemory {
 public:
  // How many of the next calls may fail; whether one does is a choice that the search explores.
  std::uint32_t commit_failures = 0;
  std::uint32_t decommit_failures = 0;
  std::uint64_t now = 0;  // ms, as the scenario sets it
  // What was done since reserve().
  std::uint32_t commits = 0;
  std::uint32_t decommits = 0;
  std::uint32_t refusals = 0;

  ScheduledMemory() = default;
  ~ScheduledMemory();
  ScheduledMemory(const ScheduledMemory&) = delete;
  ScheduledMemory& operator=(const ScheduledMemory&) = delete;

  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align);
  void release();
  std::byte* base(Space space) const { return arrays_[index(space)].begin; }
  Range present() const { return {0, arrays_[index(Space::heap)].size}; }
  std::uint64_t now_ms() const { return now; }
  bool commit(Space space, std::uint64_t offset, std::uint64_t size);
  bool decommit(Space space, std::uint64_t offset, std::uint64_t size);
  void advise(Space, std::uint64_t, std::uint64_t, Pages) {}
  void populate(Space, std::uint64_t, std::uint64_t) {}

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  struct Array {
    std::unique_ptr<std::byte[], Free> memory;
    std::byte* begin = nullptr;
    std::uint64_t size = 0;
    std::uint64_t capacity = 0;
    std::uint64_t used = 0;  // the end of what was committed, so of what may be other than zero

    void prepare(std::uint64_t bytes, std::uint64_t align);
    void clear();
  };

  static constexpr std::size_t index(Space space) { return static_cast<std::size_t>(space); }

  void check_call(const char* call, Space space, std::uint64_t offset, std::uint64_t size);
  bool refused(std::uint32_t& failures);

  std::array<Array, space_count> arrays_;
};

}  // namespace strata::check
