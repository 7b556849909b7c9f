// Group B, blocks of one size, and group C, runs, against plain sets of what is taken.

#include <algorithm>
#include <map>

#include "invariants/validate.hpp"
#include "props/model/level.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

constexpr std::uint32_t segments = 4;

// What blocks and runs have in common: units that are taken, dirtied, and put back.
template <class Plan>
class UnitsModel : public Level<Plan> {
 public:
  UnitsModel() : Level<Plan>({.segments = segments}), slots_of_heap_(this->heap_) {}

  void check() {
    Reports reports;
    Validator<typename Level<Plan>::Heap>(this->heap_, reports).books();
    RC_ASSERT(reports.count() == 0U);
    std::uint64_t live = 0;
    for (const auto& [offset, bytes] : used_) {
      live += bytes;
    }
    RC_ASSERT(this->live_bytes() == live);
  }

 protected:
  void took(std::uint64_t offset, std::uint64_t bytes, bool known_zero) {
    RC_ASSERT(offset + bytes <= this->heap_.heap_bytes);
    const auto after = used_.lower_bound(offset);
    RC_ASSERT((after == used_.end() || after->first >= offset + bytes));
    RC_ASSERT(
        (after == used_.begin() || std::prev(after)->first + std::prev(after)->second <= offset));
    used_[offset] = bytes;
    // Nothing is purged here: what is called zero was never handed out.
    for (std::uint64_t page = offset; page < offset + bytes; page += Plan::page_bytes) {
      RC_ASSERT((!known_zero || !touched_.contains(page)));
      touched_.insert(page);
    }
  }

  Segments<typename Level<Plan>::State> slots_of_heap_;
  std::map<std::uint64_t, std::uint64_t> used_;  // offset: bytes
  std::set<std::uint64_t> touched_;              // pages that were handed out once
};

template <class Plan>
class BlocksModel : public UnitsModel<Plan> {
  using Base = UnitsModel<Plan>;
  using Base::heap_, Base::nth, Base::slots_of_heap_, Base::used_;

 public:
  explicit BlocksModel(plan::Class bin) : bin_(bin), blocks_(heap_, bin) {}

  static constexpr Command<BlocksModel> commands[] = {
      {"take", &BlocksModel::take},     {"take again", &BlocksModel::take},
      {"put", &BlocksModel::put},       {"put bad", &BlocksModel::put_bad},
      {"retire", &BlocksModel::retire}, {"become writable", &BlocksModel::become_writable}};

 private:
  void take(std::uint32_t small, std::uint32_t) {
    auto block = blocks_.take();
    if (!block.found && open_region(small % 2 == 0)) {
      block = blocks_.take();
      RC_ASSERT(block.found);
    }
    if (block.found) {
      RC_ASSERT(block.offset % Plan::unit_bytes(bin_) == 0U);
      this->took(block.offset, Plan::unit_bytes(bin_), block.known_zero);
      RC_ASSERT(blocks_.is_used(block.offset));
    }
  }
  void put(std::uint32_t k, std::uint32_t) {
    if (!used_.empty()) {
      const std::uint64_t offset = nth(used_, k).first;
      used_.erase(offset);
      const Outcome outcome = blocks_.put(offset);
      RC_ASSERT(outcome.problem == Problem::none);
      closed(outcome);
    }
  }
  void put_bad(std::uint32_t k, std::uint32_t inside) {
    if (used_.empty()) {
      return;
    }
    const std::uint64_t offset = nth(used_, k).first;
    if (inside % 2 == 1) {
      const Outcome outcome = blocks_.put(offset + inside % (Plan::unit_bytes(bin_) - 1) + 1);
      RC_ASSERT(outcome.problem == Problem::interior_pointer);
      return;
    }
    used_.erase(offset);
    closed(blocks_.put(offset));
    if (Plan::bin_class(heap_.class_at(offset)) == bin_) {
      RC_ASSERT(blocks_.put(offset).problem == Problem::double_free);
    }
  }
  void retire(std::uint32_t, std::uint32_t) {
    blocks_.retire_empty([this](const Outcome& outcome) { closed(outcome); });
  }
  // As growth extends a region: the block is held meanwhile.
  void become_writable(std::uint32_t from, std::uint32_t) {
    const std::uint32_t lead = blocks_.growable_region(from % heap_.books.slots());
    if (lead != no_index) {
      const std::uint32_t block = heap_.books.of_everything().free_blocks(lead).first();
      const std::uint32_t end = blocks_.chunks_through(bin_, block);
      blocks_.hold_block(lead, block);
      heap_.memory.commit(Space::heap, std::uint64_t{lead} << Plan::region_shift,
                          std::uint64_t{end} << Plan::chunk_shift);
      blocks_.note_writable(lead, end);
      closed(blocks_.release_block(lead, block));
    }
  }

  // Of a whole segment, or of one slot if that can be.
  bool open_region(bool small) {
    if (heap_.books.of_everything().bin(bin_).empty_regions > 0) {
      return false;  // its first block is not writable
    }
    const plan::Class twin = Plan::small_of(bin_);
    small = small && Plan::is_small(twin);
    const std::uint32_t slot = small ? slots_of_heap_.take_slot() : slots_of_heap_.take_segment();
    if (slot == no_index) {
      return false;
    }
    for (std::uint32_t i = 0; i * Plan::chunks_per_region < blocks_.chunks_through(bin_, 0); ++i) {
      this->make_writable(slot + i,
                          std::min(blocks_.chunks_through(bin_, 0) - i * Plan::chunks_per_region,
                                   Plan::chunks_per_region));
    }
    blocks_.open_region(slot, small ? twin : bin_);
    return true;
  }
  void closed(const Outcome& outcome) {
    if (outcome.closed_slots > 0) {
      const auto at = used_.lower_bound(std::uint64_t{outcome.closed_slot} << Plan::region_shift);
      RC_ASSERT((at == used_.end() ||
                 at->first >= std::uint64_t{outcome.closed_slot + outcome.closed_slots}
                                  << Plan::region_shift));
      slots_of_heap_.put_slots(outcome.closed_slot, outcome.closed_slots);
    }
  }

  plan::Class bin_;
  Blocks<typename Base::State> blocks_;
};

template <class Plan>
class RunsModel : public UnitsModel<Plan> {
  using Base = UnitsModel<Plan>;
  using Base::heap_, Base::nth, Base::used_;

 public:
  RunsModel() : runs_(heap_) {}

  static constexpr Command<RunsModel> commands[] = {{"take", &RunsModel::take},
                                                    {"take slots", &RunsModel::take_slots},
                                                    {"put", &RunsModel::put},
                                                    {"put bad", &RunsModel::put_bad},
                                                    {"refuse", &RunsModel::refuse}};

 private:
  static constexpr std::uint32_t slots = segments * Plan::regions_per_segment;

  void take(std::uint32_t size, std::uint32_t more) {
    take_bytes(Plan::segment_bytes + (size * 1024 + more) % (3 * Plan::segment_bytes) + 1, 1,
               Plan::regions_per_segment);
  }
  // Less than a segment: whole slots, aligned as is asked.
  void take_slots(std::uint32_t size, std::uint32_t align) {
    const std::uint64_t align_bytes = Plan::region_bytes << align % 3;
    take_bytes(size * 64 % Plan::segment_bytes + 1, std::min(align_bytes, Plan::segment_bytes),
               std::max<std::uint32_t>(1, 1U << align % 3));
  }
  void take_bytes(std::uint64_t bytes, std::uint64_t align_bytes, std::uint32_t align_slots) {
    align_slots = std::min(align_slots, Plan::regions_per_segment);
    const bool segments_only = bytes > Plan::segment_bytes;
    std::uint32_t count = static_cast<std::uint32_t>((bytes - 1) / Plan::region_bytes + 1);
    count = segments_only ? round_up(count, Plan::regions_per_segment) : count;
    const std::uint32_t expected = highest(count, align_slots);
    Address address = 0;
    const Taken taken = runs_.take({Plan::run, bytes, align_bytes}, &address + 1);
    if (expected == no_index || heap_.memory.failures.at == 1) {
      heap_.memory.failures = {};
      RC_ASSERT(taken.count == 0U);
      return;
    }
    const std::uint64_t offset = address - heap_.base;
    RC_ASSERT(taken.count == 1U);
    RC_ASSERT(offset == expected * Plan::region_bytes);
    RC_ASSERT(runs_.bytes(offset) == round_up(bytes, Plan::chunk_bytes));
    this->took(offset, round_up(bytes, Plan::chunk_bytes), taken.known_zero);
    reserved_[offset] = count;
  }
  void put(std::uint32_t k, std::uint32_t) {
    if (!used_.empty()) {
      const std::uint64_t offset = nth(used_, k).first;
      used_.erase(offset);
      reserved_.erase(offset);
      RC_ASSERT(runs_.put(offset) == Problem::none);
    }
  }
  void put_bad(std::uint32_t k, std::uint32_t inside) {
    if (!used_.empty()) {
      const auto [offset, bytes] = nth(used_, k);
      const std::uint64_t bad =
          offset + (inside * 61) % (reserved_[offset] * Plan::region_bytes - 1) + 1;
      RC_ASSERT(runs_.put(bad) == Problem::interior_pointer);
      RC_ASSERT(runs_.bytes(bad) == 0U);
    }
  }
  void refuse(std::uint32_t, std::uint32_t) { heap_.memory.failures = {.pattern = 1}; }

  std::uint32_t highest(std::uint32_t count, std::uint32_t align) const {
    for (std::uint32_t slot = slots; slot-- > 0;) {
      bool free = slot % align == 0 && slot + count <= slots;
      for (const auto& [offset, taken] : reserved_) {
        const std::uint64_t first = offset / Plan::region_bytes;
        free = free && (slot + count <= first || first + taken <= slot);
      }
      if (free) {
        return slot;
      }
    }
    return no_index;
  }

  Runs<typename Base::State> runs_;
  std::map<std::uint64_t, std::uint32_t> reserved_;  // offset: slots
};

template <class Plan>
class LargeUnits : public testing::Test {};
using Plans = testing::Types<Tiny, Small, SmallQuarter>;
TYPED_TEST_SUITE(LargeUnits, Plans);

TYPED_TEST(LargeUnits, BlocksAreASet) {
  property([] {
    const auto bin =
        *rc::gen::inRange<plan::Class>(TypeParam::first_block, TypeParam::last_block + 1);
    any_commands(BlocksModel<TypeParam>(bin));
  });
}
TYPED_TEST(LargeUnits, RunsAreASet) {
  property([] { any_commands(RunsModel<TypeParam>()); });
}

struct OneBlock : BlocksModel<Tiny> {
  OneBlock() : BlocksModel(Tiny::first_block) { command(*this, "take"); }
  Blocks<State> core{heap(), Tiny::first_block};
};
struct OneRun : RunsModel<Tiny> {
  OneRun() { command(*this, "take slots"); }
  Runs<State> core{heap()};
};

TEST(LargeUnitsModelItself, LooksAtTheBooks) {
  expect_said<OneBlock>("reports.count() == 0U",
                        [](OneBlock& m) { ++m.books().bin(Tiny::first_block).regions; });
  expect_said<OneBlock>("this->live_bytes()", [](OneBlock& m) { m.core.put(0); });
}

TEST(LargeUnitsModelItself, KnowsWhichUnitsAreUsed) {
  expect_said<OneBlock>("after->first >= offset + bytes", [](OneBlock& m) {
    m.core.put(0);
    command(m, "take");
  });
  expect_said<OneBlock>("outcome.problem == Problem::none", [](OneBlock& m) {
    m.core.put(0);
    command(m, "put");
  });
  expect_said<OneRun>("runs_.put(offset)", [](OneRun& m) {
    m.core.put((m.books().slots() - 1) * Tiny::region_bytes);
    command(m, "put");
  });
  expect_said<OneRun>("offset == expected", [](OneRun& m) {
    m.core.put((m.books().slots() - 1) * Tiny::region_bytes);
    command(m, "take slots");
  });
}

// What was written to is as good as new, the books say.
TEST(LargeUnitsModelItself, KnowsWhatWasTouched) {
  expect_said<OneBlock>("!known_zero || ", [](OneBlock& m) {
    command(m, "put");
    m.books().dirty_blocks(0).take(0);
    command(m, "take");
  });
}

}  // namespace
}  // namespace strata::check
