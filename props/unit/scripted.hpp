// A heap on the scripted memory, which notes each call, for tests of what was done and not only of
// what came of it.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace strata::check {

template <class PlanT>
class Scripted {
 public:
  using Plan = PlanT;
  using AllocatorT = Allocator<ScriptedHeap<Plan>>;
  using Cache = typename AllocatorT::Cache;

  explicit Scripted(std::uint32_t segments = 4, std::uint64_t absent_head_bytes = 0) {
    memory().absent_head_bytes = absent_head_bytes;
    EXPECT_TRUE(allocator_->open(segments));
    heap().purge_if_due();  // the first one starts the clock
  }
  Scripted(const Scripted&) = delete;
  Scripted& operator=(const Scripted&) = delete;
  ~Scripted() {
    EXPECT_TRUE(allocator_->validate(Quiet::yes));
    EXPECT_TRUE(heap().hooks.reports.empty());
    allocator_->close();
  }

  AllocatorT* operator->() { return allocator_.get(); }
  auto& heap() { return allocator_->heap(); }
  auto& memory() { return heap().memory; }
  const auto& books() { return heap().books.of_everything(); }

  // Straight from the bins, as an offset; ~0 if there is none.
  std::uint64_t take(std::uint64_t size, std::uint64_t align = 1) {
    return allocator_->allocate_aligned(AllocatorT::dead(), size, align) - heap().base;
  }
  std::vector<std::uint64_t> take_many(std::uint64_t size, std::uint64_t count) {
    std::vector<std::uint64_t> offsets;
    for (std::uint64_t i = 0; i < count; ++i) {
      offsets.push_back(take(size));
    }
    return offsets;
  }
  void give(std::uint64_t offset) {
    allocator_->deallocate(AllocatorT::dead(), heap().base + offset);
  }
  void give(const std::vector<std::uint64_t>& offsets) {
    for (const std::uint64_t offset : offsets) {
      give(offset);
    }
  }
  // While the system refuses every call, as it does for memory that the program has locked.
  void give_locked(const auto&... offsets) {
    memory().failures = FailureScript::always();
    const std::uint64_t refused = memory().calls().refused;
    (give(offsets), ...);
    EXPECT_GT(memory().calls().refused, refused);
    memory().failures = {};
  }
  std::uint64_t usable(std::uint64_t offset) {
    return allocator_->usable_bytes(heap().base + offset);
  }
  region_t& region(std::uint64_t offset) {
    return books().region(static_cast<std::uint32_t>(Plan::slot_of(offset)));
  }
  std::uint64_t dirty() { return books().control().dirty_bytes.load(); }
  std::uint64_t events(Event event) { return heap().hooks.events[static_cast<std::size_t>(event)]; }
  // What went back since the last call, of one space.
  std::vector<Range> drops(Space space = Space::heap) {
    std::vector<Range> ranges;
    for (const auto& [where, range] : std::exchange(memory().drops, {})) {
      if (where == space) {
        ranges.push_back(range);
      }
    }
    return ranges;
  }

 private:
  std::unique_ptr<AllocatorT> allocator_ = std::make_unique<AllocatorT>();
};

}  // namespace strata::check
