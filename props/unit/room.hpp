// What the tests of this folder share: heaps over real memory.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <vector>

#include "props/unit/real_allocator.hpp"

namespace strata::check {

// A heap of `segments` that is closed at the end, with no report left unread.
template <class Plan>
class Room {
 public:
  using Allocator = RealAllocator<Plan>;
  using Cache = typename Allocator::Cache;

  explicit Room(std::uint32_t segments = 256) : allocator_(std::make_unique<Allocator>()) {
    EXPECT_TRUE(allocator_->open(segments));
    cache_ = allocator_->attach();
  }
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;
  ~Room() {
    allocator_->detach(cache_);
    EXPECT_TRUE(allocator_->validate(Quiet::yes));
    EXPECT_EQ(hooks().reports.size(), 0U);
    allocator_->close();
  }

  Allocator* operator->() { return allocator_.get(); }
  Allocator& allocator() { return *allocator_; }
  Cache* cache() { return cache_; }
  RememberingHooks& hooks() { return allocator_->heap().hooks; }

  std::byte* allocate(std::uint64_t size_bytes) {
    return reinterpret_cast<std::byte*>(allocator_->allocate(cache_, size_bytes));
  }
  void deallocate(void* pointer) {
    allocator_->deallocate(cache_, reinterpret_cast<Address>(pointer));
  }
  // The problems reported since the last call.
  std::vector<Problem> take_problems() {
    std::vector<Problem> problems;
    for (const Report& report : hooks().reports) {
      problems.push_back(report.problem);
    }
    hooks().reports.clear();
    return problems;
  }

 private:
  std::unique_ptr<Allocator> allocator_;
  Cache* cache_;
};

}  // namespace strata::check
