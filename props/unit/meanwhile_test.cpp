// What another thread does just while this one is inside a system call, or just before it has a
// lock: the windows that law 3 leaves open, one at a time. (All orders of them: props/interleave.)
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "cache/allocator.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"

namespace strata::check {
namespace {

// The other thread's turn: once.
class Turn {
 public:
  void set(std::function<void()> action) { action_ = std::move(action); }
  bool is_over() const { return action_ == nullptr; }
  void take() {
    if (const auto action = std::exchange(action_, nullptr)) {
      // It holds none of this one's locks.
      const HeldRanks held = std::exchange(PlainMutex::held(), HeldRanks());
      action();
      PlainMutex::held() = held;
    }
  }

 private:
  std::function<void()> action_;
};

Turn in_commit, in_decommit, before_bin, before_segments;

template <class Plan>
struct InterruptedMemory : ScriptedMemory<Plan> {
  bool commit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    in_commit.take();
    return ScriptedMemory<Plan>::commit(space, offset, bytes);
  }
  bool decommit(Space space, std::uint64_t offset, std::uint64_t bytes) {
    in_decommit.take();
    return ScriptedMemory<Plan>::decommit(space, offset, bytes);
  }
};

struct InterruptedMutex : PlainMutex {
  bool lock(Rank rank) {
    if (rank >= rank::first_bin) {
      (rank == rank::segments ? before_segments : before_bin).take();
    }
    return PlainMutex::lock(rank);
  }
};
struct InterruptedSync : PlainSync {
  using Mutex = InterruptedMutex;
};

template <class PlanT>
class MeanwhileOn : public testing::Test {
 protected:
  using Plan = PlanT;
  using Allocator =
      strata::Allocator<Heap<Plan, InterruptedMemory<Plan>, InterruptedSync, CheckHooks>>;

  MeanwhileOn() { EXPECT_TRUE(allocator_.open(3)); }
  ~MeanwhileOn() override {
    EXPECT_TRUE(in_commit.is_over() && in_decommit.is_over());
    EXPECT_TRUE(before_bin.is_over() && before_segments.is_over());
    for (const Address address : live_) {
      allocator_.deallocate(dead(), address);
    }
    EXPECT_EQ(reports(), 0U);
    EXPECT_TRUE(allocator_.validate(Quiet::yes));
    allocator_.close();
  }

  static typename Allocator::Cache* dead() { return Allocator::dead(); }
  std::size_t reports() const { return allocator_.heap().hooks.reports.size(); }
  Problem take_problem() {
    auto& reports = allocator_.heap().hooks.reports;
    EXPECT_EQ(reports.size(), 1U);
    const Problem problem = reports.empty() ? Problem::none : reports[0].problem;
    reports.clear();
    return problem;
  }

  Address allocate(std::uint64_t size) {
    live_.push_back(allocator_.allocate(dead(), size));
    EXPECT_NE(live_.back(), 0U);
    return live_.back();
  }
  void deallocate(Address address) {
    std::erase(live_, address);
    allocator_.deallocate(dead(), address);
  }

  mutable Allocator allocator_;
  std::vector<Address> live_;
};

// Four chunks of 256 B a region, four regions a segment; pages of 64 B.
using Meanwhile = MeanwhileOn<Small>;
using MeanwhileOnPow2 = MeanwhileOn<plan::Pow2>;

TEST_F(Meanwhile, AFreeOfWhatAPurgeHoldsIsADoubleFree) {
  const Address first = allocate(64);  // a page each, four a chunk
  const Address second = allocate(64);
  deallocate(second);
  Problem problem = Problem::none;
  in_decommit.set([&] {
    allocator_.deallocate(dead(), second);
    problem = take_problem();
    deallocate(first);  // a good one in the same chunk, with part of it held
  });
  allocator_.purge(dead());
  EXPECT_EQ(problem, Problem::double_free);
}

// Each of a batch is looked at by itself then.
TEST_F(Meanwhile, AGoodFreeBeforeItInTheBatchDoesNotHideIt) {
  const Address first = allocate(64);
  const Address second = allocate(64);
  allocate(64);
  deallocate(second);
  in_decommit.set([&] {
    std::array<Address, 2> batch = {first, second};
    Reports reports;
    allocator_.heap().give(batch.data(), 2, reports);
    reports.deliver(allocator_.heap().hooks);
    EXPECT_EQ(take_problem(), Problem::double_free);
    std::erase(live_, first);
  });
  allocator_.purge(dead());
}

TEST_F(Meanwhile, EveryStretchOfAChunkThatAPurgeHoldsIsKnown) {
  const Address first = allocate(64);
  allocate(64);
  const Address third = allocate(64);
  allocate(64);
  deallocate(first);
  deallocate(third);
  in_decommit.set([&] {
    allocator_.deallocate(dead(), first);
    EXPECT_EQ(take_problem(), Problem::double_free);
    allocator_.deallocate(dead(), third);
    EXPECT_EQ(take_problem(), Problem::double_free);
  });
  allocator_.purge(dead());
}

// However little it finds: a heap may have a hundred thousand chunks.
TEST_F(MeanwhileOnPow2, APurgeThatSearchesManyChunksLetsOthersHaveTheBin) {
  std::vector<Address> items;
  for (int i = 0; i < 70 * 32; ++i) {
    items.push_back(allocate(2048));
  }
  for (std::size_t i = 0; i < items.size(); i += 2) {
    deallocate(items[i]);  // half of each page
  }
  std::uint32_t locks = 0;
  const std::function<void()> count = [&] {
    ++locks;
    before_bin.set(count);
  };
  const auto locks_of_purge = [&] {
    locks = 0;
    before_bin.set(count);
    allocator_.purge(dead());
    before_bin.set(nullptr);
    return locks;
  };
  const std::uint32_t searching = locks_of_purge();
  EXPECT_EQ(searching, locks_of_purge() + 2) << "32 chunks a visit; then all are known";
}

TEST_F(Meanwhile, AFreeOfABlockThatAPurgeHoldsIsADoubleFree) {
  const Address block = allocate(256);
  allocate(256);
  deallocate(block);
  Problem problem = Problem::none;
  in_decommit.set([&] {
    allocator_.deallocate(dead(), block);
    problem = take_problem();
  });
  allocator_.purge(dead());
  EXPECT_EQ(problem, Problem::double_free);
}

TEST_F(Meanwhile, AFreeOfABlockThatIsNotWritableYetIsADoubleFree) {
  const Address first = allocate(256);
  Problem problem = Problem::none;
  in_commit.set([&] {
    allocator_.deallocate(dead(), first + 256);  // the neighbour that growth holds
    problem = take_problem();
  });
  allocate(256);
  EXPECT_EQ(problem, Problem::double_free);
}

TEST_F(Meanwhile, WhatIsFreedWhileARegionIsOpenedIsTakenFirst) {
  std::vector<Address> filling;
  for (std::uint64_t i = 0; i < Plan::chunks_per_region * 4; ++i) {
    filling.push_back(allocate(64));  // the region is full
  }
  in_commit.set([&] { deallocate(filling[5]); });
  EXPECT_EQ(allocate(64), filling[5]);
}

TEST_F(Meanwhile, ARegionOfBlocksMayDieUnderAPurge) {
  // Two regions of one slot each, of blocks of 256 B.
  std::vector<Address> blocks;
  for (std::uint64_t i = 0; i < 8; ++i) {
    blocks.push_back(allocate(256));
  }
  deallocate(blocks[7]);  // the purge begins with the highest
  in_decommit.set([&] {
    for (std::size_t i = 0; i < 7; ++i) {
      deallocate(blocks[i]);
    }
  });
  allocator_.purge(dead());
}

TEST_F(Meanwhile, ARegionOfItemsMayDieUnderAPurge) {
  std::vector<Address> items;
  for (std::uint64_t i = 0; i < 2 * Plan::chunks_per_region * 4; ++i) {
    items.push_back(allocate(64));
  }
  for (std::size_t i = 24; i < 28; ++i) {
    deallocate(items[i]);
  }
  in_decommit.set([&] {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i < 24 || i >= 28) {
        deallocate(items[i]);
      }
    }
  });
  allocator_.purge(dead());
}

// A class that changes between the look and the lock: the pointer was bad, and is reported.
TEST_F(Meanwhile, AnItemWhoseRegionDiesBeforeTheLockIsReported) {
  const Address first = allocate(16);
  const Address second = allocate(16);
  deallocate(first);
  deallocate(second);
  before_bin.set([&] {
    Reports none;
    const Address whole = allocator_.allocate(dead(), 3 * Plan::segment_bytes);  // retires all
    EXPECT_NE(whole, 0U);
    live_.push_back(whole);
  });
  allocator_.deallocate(dead(), second);
  EXPECT_EQ(take_problem(), Problem::unused_region);
}

TEST_F(Meanwhile, AnItemWhoseRegionDiesBeforeTheLockIsNotLive) {
  const Address item = allocate(16);
  EXPECT_TRUE(allocator_.heap().looks_live(item));
  before_bin.set([&] {
    deallocate(item);
    live_.push_back(allocator_.allocate(dead(), 3 * Plan::segment_bytes));
    EXPECT_NE(live_.back(), 0U);
  });
  EXPECT_FALSE(allocator_.heap().looks_live(item));
}

// Whoever frees while another purges does not wait for that, whatever is dirty.
TEST_F(MeanwhileOnPow2, AFreeDoesNotWaitForAPurge) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  const Address first = allocate(32 * mib);
  const Address second = allocate(32 * mib);
  in_decommit.set([&] {
    const std::uint64_t decommits = allocator_.heap().memory.calls().decommits;
    deallocate(second);
    EXPECT_EQ(allocator_.heap().memory.calls().decommits, decommits);
  });
  deallocate(first);
}

// Nor does growth, which then is not paid for.
TEST_F(MeanwhileOnPow2, GrowthDoesNotWaitForAPurge) {
  constexpr std::uint64_t mib = std::uint64_t{1} << 20;
  std::vector<Address> blocks(8);
  std::ranges::generate(blocks, [&] { return allocate(mib); });
  const Address run = allocate(600 * mib);
  std::ranges::for_each(blocks, [&](Address block) { deallocate(block); });
  in_decommit.set([&] {
    const std::uint64_t decommits = allocator_.heap().memory.calls().decommits;
    allocate(100);
    EXPECT_EQ(allocator_.heap().memory.calls().decommits, decommits);
  });
  deallocate(run);
}

// Nor does whoever finds that the delayed one is due.
TEST_F(MeanwhileOnPow2, AMissDoesNotWaitForAPurge) {
  const Address block = allocate(std::uint64_t{64} << 10);
  deallocate(block);
  allocator_.heap().memory.clock_ms += 10'000;
  in_decommit.set([&] {
    const std::uint64_t decommits = allocator_.heap().memory.calls().decommits;
    allocator_.heap().purge_if_due();
    EXPECT_EQ(allocator_.heap().memory.calls().decommits, decommits);
  });
  allocator_.purge(dead());
}

// More chunks than one visit to the bin takes, of a region that closes before the next visit.
TEST_F(MeanwhileOnPow2, ARegionMayDieBetweenTwoBatchesOfAPurge) {
  constexpr std::uint64_t size = std::uint64_t{32} << 10;  // two a chunk
  constexpr std::ptrdiff_t region = Plan::region_bytes / size;
  std::vector<Address> items;
  for (std::ptrdiff_t i = 0; i < 2 * region + 200; ++i) {
    items.push_back(allocate(size));
  }
  const auto free_all = [&](std::ptrdiff_t from, std::ptrdiff_t to) {
    for (; from < to; ++from) {
      deallocate(items[static_cast<std::size_t>(from)]);
    }
  };
  free_all(region, region + 2);  // the empty chunk that the bin keeps
  free_all(2 * region + 1, 2 * region + 200);
  in_decommit.set([&] {
    free_all(0, region);                   // the empty region that it keeps
    free_all(2 * region, 2 * region + 1);  // so that this one goes
  });
  allocator_.purge(dead());
}

TEST_F(Meanwhile, ARunThatIsFreedBeforeTheLockIsADoubleFree) {
  const Address run = allocate(2 * Plan::segment_bytes);
  before_segments.set([&] { deallocate(run); });
  allocator_.deallocate(dead(), run);
  EXPECT_EQ(take_problem(), Problem::double_free);
}

}  // namespace
}  // namespace strata::check
