// What the scenarios of this room share: the allocator on a tiny plan under the scheduler, and
// callers that write to what they are given.
//
// The plan: 2 or 3 segments of 2 regions of 2 chunks of 4 items, 2 bits a word, magazines of up to
// 3, so that a few calls cross every boundary.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "cache/allocator.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/plans.hpp"
#include "props/support/scheduled_memory.hpp"
#include "props/support/scheduler_plain.hpp"
#include "props/support/scheduler_sync.hpp"
#include "props/support/scheduler_test.hpp"

namespace strata::check {

struct OnStage {};
struct StagePlan : Tiny, OnStage {};
// Twice as many regions in a segment, whose halves take turns at two shards, as caches do.
using TinyOfFour = plan::Plan<plan::Geometry<9, 7, 6, 5, 4, 1>, plan::PowersOfTwo>;
struct ShardedStagePlan : plan::Sharded<TinyOfFour, 2>, OnStage {};
static_assert(2 * ShardedStagePlan::slots_per_turn == ShardedStagePlan::regions_per_segment);

}  // namespace strata::check

// Shipped magazines hold more items than the whole tiny heap has. A batch is 2, a flush gives back
// 2 of 3.
template <std::derived_from<strata::check::OnStage> Plan>
struct strata::Magazines<Plan> {
  static constexpr std::uint32_t limit_first = 3;
  static constexpr std::uint32_t capacity(plan::Class) { return 3; }
  static constexpr std::uint64_t thread_bytes_max() { return std::uint64_t{3} * (16 + 32); }
};

// Four segments of free dirt are too much, what fewer can hold is not.
template <std::derived_from<strata::check::OnStage> Plan>
inline constexpr std::uint64_t strata::dirty_bytes_limit<Plan> = 3 * Plan::segment_bytes;

namespace strata::check {

// Memory in a scenario's hands: all its bytes have the stamp.
struct StageObject {
  Address address = 0;
  std::uint64_t size = 0;
  std::uint8_t stamp = 0;
};

template <class Plan>
class BasicStage {
 public:
  using Heap = strata::Heap<Plan, ScheduledMemory, SchedulingSync, CheckHooks>;
  using Allocator = strata::Allocator<Heap>;
  using Cache = typename Allocator::Cache;

  // Sizes, by what serves them.
  static constexpr std::uint64_t small_item = 16, large_item = 32;
  static constexpr std::uint64_t small_block = Plan::chunk_bytes;
  static constexpr std::uint64_t segment = Plan::segment_bytes;
  static constexpr std::uint32_t small_items_per_region =
      Plan::chunks_per_region * Plan::items_per_chunk_max;

  using Object = StageObject;

  // A new allocator, whatever became of the last; prepare() leaves it to the scenario to open it.
  void open(std::uint32_t segments);
  void prepare(std::uint32_t segments);
  // After the threads: every invariant holds, nothing bad was reported, and all memory can be one
  // run again once the caches given are gone.
  void finish(std::initializer_list<Cache*> caches);
  // Takes all that is free as blocks: those that are said to be zero are.
  void check_known_zero();
  // The first part of finish() alone, for what cannot give all back; then abandon() stands for the
  // rest.
  void validate();
  void abandon();

  Allocator& allocator() { return *allocator_; }
  ScheduledMemory& memory() { return allocator_->heap().memory; }
  bool looks_live(Address address);
  std::vector<Report>& reports() { return allocator_->heap().hooks.reports; }
  static Cache* dead() { return Allocator::dead(); }

  // An object written from end to end, which must be there: `try_take` may come back with none.
  Object take(Cache* cache, std::uint64_t size);
  Object try_take(Cache* cache, std::uint64_t size);
  // try_take, and 1 if there was one, which is added to `objects`.
  std::uint32_t try_take_into(std::vector<Object>& objects, Cache* cache, std::uint64_t size);
  // Its owner finds it unchanged, writes to it once more and frees it.
  void give(Cache* cache, Object object);
  std::vector<Object> take_many(Cache* cache, std::uint64_t size, std::uint32_t count);
  void give_all(Cache* cache, const std::vector<Object>& objects);
  // Whether all its bytes have the stamp.
  static bool has_bytes(const Object& object);
  // Everything of a size that there is, by way of no magazine.
  std::vector<Object> take_all(std::uint64_t size);

 private:
  void write(const Object& object);

  std::unique_ptr<Allocator> allocator_;
  std::uint32_t segments_ = 0;
  std::uint8_t stamp_ = 0;
  bool finished_ = true;
};

using Stage = BasicStage<StagePlan>;
using ShardedStage = BasicStage<ShardedStagePlan>;

// The one source of core in this program is stage.cpp.
extern template class BasicStage<StagePlan>;
extern template class BasicStage<ShardedStagePlan>;

}  // namespace strata::check

extern template class strata::Allocator<strata::check::Stage::Heap>;
extern template class strata::Allocator<strata::check::ShardedStage::Heap>;
