// Segments: which slots are unused, against a plain set of them.

#include <algorithm>

#include "props/model/level.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

template <class Plan>
class SegmentsModel : public Level<Plan> {
  using Base = Level<Plan>;
  using Base::heap_, Base::nth;
  static constexpr std::uint32_t segments = 6;
  static constexpr std::uint32_t per_segment = Plan::regions_per_segment;
  static constexpr std::uint32_t slots = segments * per_segment;

 public:
  explicit SegmentsModel(Range present)
      : Base({.segments = segments,
              .absent_head_bytes = present.begin,
              .absent_tail_bytes = segments * Plan::segment_bytes - present.end}),
        segments_(heap_) {
    for (std::uint64_t slot = present.begin / Plan::region_bytes;
         slot < present.end / Plan::region_bytes; ++slot) {
      free_.insert(static_cast<std::uint32_t>(slot));
    }
    check();
  }

  static constexpr Command<SegmentsModel> commands[] = {
      {"take_slot", &SegmentsModel::take_slot},       {"hold_slot", &SegmentsModel::hold_slot},
      {"take_segment", &SegmentsModel::take_segment}, {"take_run", &SegmentsModel::take_run},
      {"take_slots", &SegmentsModel::take_slots},     {"put_slots", &SegmentsModel::put_slots}};

  void check() {
    std::uint32_t dirty = 0;
    std::vector<std::uint32_t> with_room;
    for (std::uint32_t s = 0; s < segments; ++s) {
      std::uint32_t unused = 0;
      for (std::uint32_t slot = s * per_segment; slot < (s + 1) * per_segment; ++slot) {
        RC_ASSERT(segments_.is_unused(slot) == free_.contains(slot));
        unused += free_.contains(slot) ? 1 : 0;
        dirty +=
            free_.contains(slot) && heap_.books.of_everything().region(slot).dirty != 0 ? 1 : 0;
      }
      RC_ASSERT(heap_.books.of_everything().segment_used(s) == per_segment - unused);
      if (unused > 0) {
        with_room.push_back(s);
      }
    }
    RC_ASSERT(heap_.books.of_everything().unused().free_slots == free_.size());
    RC_ASSERT(heap_.books.of_everything().unused().dirty_slots == dirty);
    auto list = heap_.books.of_everything().segment_list();
    std::uint32_t at = list.first();
    for (const std::uint32_t s : with_room) {
      RC_ASSERT(at == s);
      at = list.after(at);
    }
    RC_ASSERT(at == list.none);
  }

 private:
  void take_slot(std::uint32_t, std::uint32_t) {
    took(segments_.take_slot(), free_.empty() ? no_index : *free_.begin(), 1);
  }
  void hold_slot(std::uint32_t k, std::uint32_t) {
    if (!free_.empty()) {
      const std::uint32_t slot = nth(free_, k);
      segments_.hold_slot(slot);
      took(slot, slot, 1);
    }
  }
  // The first that is wholly unused, from a quarter of the space on and around its end.
  void take_segment(std::uint32_t, std::uint32_t) {
    std::uint32_t expected = no_index;
    for (std::uint32_t i = segments; i-- > 0;) {
      const std::uint32_t slot = (segments / 4 + i) % segments * per_segment;
      expected = are_free(slot, per_segment) ? slot : expected;
    }
    took(segments_.take_segment(), expected, per_segment);
  }
  void take_run(std::uint32_t count, std::uint32_t) {
    count = (count % segments + 1) * per_segment;
    took(segments_.take_run(count / per_segment), highest(count, per_segment), count);
  }
  void take_slots(std::uint32_t count, std::uint32_t align) {
    count = count % (2 * per_segment) + 1;
    align = 1U << align % 3;
    took(segments_.take_slots(count, align), highest(count, align), count);
  }
  // Some of them with dirt.
  void put_slots(std::uint32_t k, std::uint32_t dirt) {
    if (!taken_.empty()) {
      const auto [slot, count] = nth(taken_, k);
      taken_.erase({slot, count});
      for (std::uint32_t i = 0; i < count; ++i) {
        heap_.books.of_everything().region(slot + i).dirty =
            static_cast<std::uint16_t>(dirt >> i % 32 & 1);
        free_.insert(slot + i);
      }
      segments_.put_slots(slot, count);
    }
  }

  void took(std::uint32_t slot, std::uint32_t expected, std::uint32_t count) {
    RC_ASSERT(slot == expected);
    if (slot != no_index) {
      taken_.insert({slot, count});
      for (std::uint32_t i = 0; i < count; ++i) {
        free_.erase(slot + i);
      }
    }
  }
  bool are_free(std::uint32_t slot, std::uint32_t count) const {
    bool all = true;
    for (std::uint32_t i = 0; i < count; ++i) {
      all = all && free_.contains(slot + i);
    }
    return all;
  }
  std::uint32_t highest(std::uint32_t count, std::uint32_t align) const {
    std::uint32_t found = no_index;
    for (std::uint32_t slot = 0; slot < slots; slot += align) {
      found = are_free(slot, count) ? slot : found;
    }
    return found;
  }

  Segments<typename Base::State> segments_;
  std::set<std::uint32_t> free_;
  std::set<std::pair<std::uint32_t, std::uint32_t>> taken_;  // first slot, count
};

template <class Plan>
class SegmentLists : public testing::Test {};
using Plans = testing::Types<Tiny, Small, plan::Pow2>;
TYPED_TEST_SUITE(SegmentLists, Plans);

TYPED_TEST(SegmentLists, AreASetOfSlots) {
  property([] {
    const std::uint64_t slots = 6 * TypeParam::regions_per_segment;
    const auto first = *rc::gen::inRange<std::uint64_t>(0, TypeParam::regions_per_segment + 1);
    const auto end = *rc::gen::inRange<std::uint64_t>(first, slots + 1);
    any_commands(
        SegmentsModel<TypeParam>({first * TypeParam::region_bytes, end * TypeParam::region_bytes}));
  });
}

struct Model : SegmentsModel<Tiny> {
  Model() : SegmentsModel({0, 6 * Tiny::segment_bytes}) {}
  Segments<State> core{heap()};
};

TEST(SegmentsModelItself, LooksAtTheBooks) {
  expect_said<Model>("segments_.is_unused(slot)", [](Model& m) { m.core.take_slot(); });
  expect_said<Model>("segment_used(s)", [](Model& m) { ++m.books().segment_used(3); });
  expect_said<Model>("at == s", [](Model& m) { m.books().segment_list().remove(3); });
  expect_said<Model>("at == list.none", [](Model& m) {
    command(m, "take_run");
    m.books().segment_list().insert(5);
  });
  expect_said<Model>("unused().free_slots", [](Model& m) { ++m.books().unused().free_slots; });
  expect_said<Model>("unused().dirty_slots", [](Model& m) { ++m.books().unused().dirty_slots; });
}

// Where another has been before.
TEST(SegmentsModelItself, KnowsWhichSlotsAreTaken) {
  expect_said<Model>("slot == expected", [](Model& m) {
    m.core.take_slot();
    command(m, "take_slot");
  });
  expect_said<Model>("slot == expected", [](Model& m) {
    m.core.take_segment();
    command(m, "take_segment");
  });
  expect_said<Model>("slot == expected", [](Model& m) {
    m.core.take_run(1);
    command(m, "take_run");
  });
  expect_said<Model>("slot == expected", [](Model& m) {
    m.core.take_slots(1, 1);
    command(m, "take_slots");
  });
}

}  // namespace
}  // namespace strata::check
