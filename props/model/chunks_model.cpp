// Chunks of items: taken lowest first, put back in batches, held by page, against a plain set.

#include <map>

#include "invariants/validate.hpp"
#include "props/model/level.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

template <class Plan>
class ChunksModel : public Level<Plan> {
  using Base = Level<Plan>;
  using Base::heap_, Base::nth;
  static constexpr std::uint32_t segments = 2;

 public:
  explicit ChunksModel(plan::Class cls)
      : Base({.segments = segments}), cls_(cls), items_(heap_, cls) {}

  static constexpr Command<ChunksModel> commands[] = {
      {"take", &ChunksModel::take},       {"take again", &ChunksModel::take},
      {"put", &ChunksModel::put},         {"put bad", &ChunksModel::put_bad},
      {"hold items", &ChunksModel::hold}, {"release items", &ChunksModel::release},
      {"retire", &ChunksModel::retire}};

  void check() {
    Reports reports;
    Validator<typename Base::Heap>(heap_, reports).books();
    RC_ASSERT(reports.count() == 0U);
    for (const std::uint64_t offset : open_) {
      const bool used = used_.contains(offset) || held_.contains(offset);
      RC_ASSERT(items_.is_used(offset) == used);
    }
  }

 private:
  // Lowest first: of partial chunks before free ones, region by region.
  void take(std::uint32_t count, std::uint32_t) {
    count = count % 12 + 1;
    Address taken[12];
    std::uint32_t got = items_.take(taken + count, count).count;
    if (got == 0 && open_region()) {
      got = items_.take(taken + count, count).count;
      RC_ASSERT(got > 0U);
    }
    for (std::uint32_t i = count; i-- > count - got;) {
      const std::uint64_t offset = taken[i] - heap_.base;
      RC_ASSERT(open_.contains(offset));
      RC_ASSERT(!held_.contains(offset));
      RC_ASSERT(used_.insert(offset).second);
    }
    // Short of what was asked for: then nothing is left.
    RC_ASSERT((got == count || used_.size() + held_.size() == open_.size()));
  }

  void put(std::uint32_t first, std::uint32_t count) {
    if (used_.empty()) {
      return;
    }
    std::vector<Address> batch;
    for (std::uint32_t i = 0; i < count % 9 + 1 && i < used_.size(); ++i) {
      batch.push_back(heap_.address_of(nth(used_, first + i)));
    }
    for (const Address address : batch) {
      used_.erase(address - heap_.base);
    }
    give(batch);
  }

  // The start of what is free, or something inside: reported, and nothing changes.
  void put_bad(std::uint32_t k, std::uint32_t inside) {
    if (open_.empty()) {
      return;
    }
    std::uint64_t offset = nth(open_, k);
    const bool interior = inside % 2 == 1;
    if (!interior && used_.contains(offset)) {
      return;
    }
    offset += interior ? inside % (Plan::unit_bytes(cls_) - 1) + 1 : 0;
    if (held_.contains(offset)) {
      return;  // held for a moment only: freeing it is for the heap's model
    }
    Problem problem = Problem::none;
    Outcome outcome;
    const Address address = heap_.address_of(offset);
    items_.put(&address, 1, outcome, [&](Address, Problem found) { problem = found; });
    RC_ASSERT((problem == (interior ? Problem::interior_pointer : Problem::double_free)));
    RC_ASSERT(outcome.closed_slots == 0U);
  }

  // Free neighbours in one chunk.
  void hold(std::uint32_t k, std::uint32_t count) {
    std::vector<std::uint64_t> run;
    for (auto at = open_.lower_bound(open_.empty() ? 0 : nth(open_, k));
         at != open_.end() && run.size() < count % 4 + 1; ++at) {
      const bool free = !used_.contains(*at) && !held_.contains(*at) && is_partial(*at);
      if (!free || (!run.empty() && !are_together(run.back(), *at))) {
        break;
      }
      run.push_back(*at);
    }
    if (!run.empty()) {
      const auto place = items_.place_of(run.front());
      items_.hold_items(place.slot, place.chunk, place.item,
                        place.item + static_cast<std::uint32_t>(run.size()) - 1);
      for (const std::uint64_t offset : run) {
        mark_dirty(offset);
      }
      held_.insert(run.begin(), run.end());
    }
  }
  void release(std::uint32_t k, std::uint32_t) {
    if (!held_.empty()) {
      const std::uint64_t offset = nth(held_, k);
      const auto place = items_.place_of(offset);
      held_.erase(offset);
      closed(items_.release_items(place.slot, place.chunk, place.item, place.item));
    }
  }

  void retire(std::uint32_t, std::uint32_t) {
    items_.retire_empty([this](const Outcome& outcome) { closed(outcome); });
    RC_ASSERT((!used_.empty() || !held_.empty() || open_.empty()));
  }

  void give(const std::vector<Address>& batch) {
    for (std::size_t i = 0; i < batch.size();) {
      Outcome outcome;
      i += items_.put(batch.data() + i, static_cast<std::uint32_t>(batch.size() - i), outcome,
                      [](Address, Problem) { RC_FAIL("a used item was refused"); });
      closed(outcome);
    }
  }

  bool open_region() {
    Segments<typename Base::State> segments_of_heap(heap_);
    const std::uint32_t slot = segments_of_heap.take_slot();
    if (slot == no_index) {
      return false;
    }
    this->make_writable(slot, Plan::chunks_per_region);
    items_.open_region(slot);
    for (std::uint32_t c = 0; c < Plan::chunks_per_region; ++c) {
      for (std::uint64_t item = 0; item < Plan::items_per_chunk(cls_); ++item) {
        open_.insert((std::uint64_t{slot} << Plan::region_shift) + c * Plan::chunk_bytes +
                     item * Plan::unit_bytes(cls_));
      }
    }
    return true;
  }
  void closed(const Outcome& outcome) {
    if (outcome.closed_slots > 0) {
      Segments<typename Base::State>(heap_).put_slots(outcome.closed_slot, 1);
      const std::uint64_t begin = std::uint64_t{outcome.closed_slot} << Plan::region_shift;
      const auto first = open_.lower_bound(begin);
      const auto end = open_.lower_bound(begin + Plan::region_bytes);
      for (auto at = first; at != end; ++at) {
        RC_ASSERT((!used_.contains(*at) && !held_.contains(*at)));
      }
      open_.erase(first, end);
    }
  }

  bool is_partial(std::uint64_t offset) const {
    return !heap_.books.of_everything()
                .free_chunks(static_cast<std::uint32_t>(Plan::slot_of(offset)))
                .test(static_cast<std::uint32_t>(Plan::chunk_in_region(offset)));
  }
  bool are_together(std::uint64_t a, std::uint64_t b) const {
    return a / Plan::chunk_bytes == b / Plan::chunk_bytes && b - a == Plan::unit_bytes(cls_);
  }
  // What looks used is on dirty pages; a purger's marks are the heap's affair.
  void mark_dirty(std::uint64_t offset) {
    const auto place = items_.place_of(offset);
    const std::uint64_t byte = Plan::byte_in_chunk(offset);
    for (std::uint64_t at = byte; at < byte + Plan::unit_bytes(cls_); ++at) {
      heap_.books.of_everything().chunk(place.slot, place.chunk).dirty_pages |=
          static_cast<std::uint16_t>(1U << (at >> Plan::page_shift));
    }
  }

  plan::Class cls_;
  Items<typename Base::State> items_;
  std::set<std::uint64_t> open_, used_, held_;  // offsets of items
};

template <class Plan>
class ChunksOfItems : public testing::Test {};
using Plans = testing::Types<Tiny, Small, SmallQuarter>;
TYPED_TEST_SUITE(ChunksOfItems, Plans);

TYPED_TEST(ChunksOfItems, AreASetOfItems) {
  property([] {
    const auto cls = *rc::gen::inRange<plan::Class>(1, TypeParam::item_classes + 1);
    any_commands(ChunksModel<TypeParam>(cls));
  });
}

struct Model : ChunksModel<Tiny> {
  Model() : ChunksModel(1) { command(*this, "take"); }
  Items<State> core{heap(), 1};
  // The first item, or what is lowest, behind the model's back.
  void put() {
    Outcome outcome;
    const Address address = heap().address_of(0);
    core.put(&address, 1, outcome, [](Address, Problem) {});
  }
  void take() {
    Address address = 0;
    core.take(&address + 1, 1);
  }
};

TEST(ChunksModelItself, LooksAtTheBooks) {
  expect_said<Model>("reports.count() == 0U", [](Model& m) { ++m.books().chunk(0, 0).free_items; });
  expect_said<Model>("items_.is_used(offset) == used", [](Model& m) { m.take(); });
  expect_said<Model>("items_.is_used(offset) == used", [](Model& m) { m.put(); });
}

TEST(ChunksModelItself, KnowsWhichItemsAreUsed) {
  expect_said<Model>("used_.insert(offset).second", [](Model& m) {
    m.put();
    command(m, "take");
  });
  expect_said<Model>("!held_.contains(offset)", [](Model& m) {
    command(m, "hold items", 1);
    m.core.release_items(0, 0, 1, 1);
    command(m, "take");
  });
  expect_said<Model>("a used item was refused", [](Model& m) {
    m.put();
    command(m, "put");
  });
  // The second item is in use, whatever the model thinks.
  expect_said<Model>("Problem::double_free", [](Model& m) {
    m.take();
    command(m, "put bad", 1);
  });
}

}  // namespace
}  // namespace strata::check
