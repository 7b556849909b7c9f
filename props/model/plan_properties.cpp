// The arithmetic of the plan, on every plan: sizes to classes and back, alignment, item indices.
// The reference is division and a walk over the classes, not a copy of the bit tricks.

#include "props/model/property.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

template <class Plan>
class PlanProperties : public testing::Test {};
using Plans = testing::Types<plan::Pow2, plan::Quarter, Tiny, Small, SmallQuarter>;
TYPED_TEST_SUITE(PlanProperties, Plans);

// Sizes whose magnitude is uniform, so that small and huge ones come up alike.
rc::Gen<std::uint64_t> size_up_to(unsigned shift_max) {
  return rc::gen::mapcat(rc::gen::inRange(0U, shift_max), [](unsigned shift) {
    return rc::gen::inRange(std::uint64_t{1} << shift, (std::uint64_t{2} << shift) + 1);
  });
}

TYPED_TEST(PlanProperties, ClassIsTheFirstThatFits) {
  property([] {
    using Plan = TypeParam;
    const std::uint64_t size = *size_up_to(Plan::segment_shift + 2);
    plan::Class expected = 1;
    while (expected <= Plan::last_block && Plan::unit_bytes(expected) < size) {
      ++expected;
    }
    RC_ASSERT(Plan::class_for(size) == expected);  // past the last block the walk ends at `run`
  });
}

TYPED_TEST(PlanProperties, ClassIsMonotone) {
  property([] {
    using Plan = TypeParam;
    const std::uint64_t a = *size_up_to(Plan::segment_shift + 2);
    const std::uint64_t b = *size_up_to(Plan::segment_shift + 2);
    RC_ASSERT(Plan::class_for(std::min(a, b)) <= Plan::class_for(std::max(a, b)));
  });
}

// What class_of_size alone says, unclamped, of sizes that no bin serves: never a class below `run`,
// so that they meet magazines that are always empty.
TYPED_TEST(PlanProperties, ImpossibleSizesHaveNoMagazine) {
  property([] {
    using Plan = TypeParam;
    const std::uint64_t over = *size_up_to(63);
    const std::uint64_t size = over <= Plan::segment_bytes ? 0 : over;
    const auto cls = Plan::Items::template class_of_size<std::uint64_t>(size);
    RC_ASSERT(cls >= Plan::run && cls < Plan::class_limit);
  });
}

// An aligned request is a request for aligned_size: every unit of the bin that serves it, wherever
// in a chunk or block region, is aligned.
TYPED_TEST(PlanProperties, AlignedSizeGivesAlignedUnits) {
  property([] {
    using Plan = TypeParam;
    const std::uint64_t size = *size_up_to(Plan::segment_shift + 1);
    const std::uint64_t align = std::uint64_t{1} << *rc::gen::inRange(0U, Plan::segment_shift + 1);
    const std::uint64_t request = Plan::aligned_size(size, align);
    RC_ASSERT(request >= size && request >= align);
    const plan::Class bin = Plan::class_for(request);
    if (bin == Plan::run) {
      return;  // runs start at segments, and no alignment exceeds one
    }
    const std::uint64_t unit = Plan::unit_bytes(bin);
    RC_ASSERT(unit >= request);
    RC_CLASSIFY(Plan::is_item(bin), "items");
    RC_ASSERT(unit % align == 0);
  });
}

TYPED_TEST(PlanProperties, AlignmentsAboveASegmentAreRefused) {
  using Plan = TypeParam;
  for (unsigned shift = 0; shift < 64; ++shift) {
    const std::uint64_t align = std::uint64_t{1} << shift;
    EXPECT_EQ(Plan::aligned_size(1, align), align <= Plan::segment_bytes ? align : 0) << shift;
  }
  EXPECT_EQ(Plan::aligned_size(~std::uint64_t{0}, 16), 0U);
}

// Every offset of a chunk in every class: multiplication is division.
TYPED_TEST(PlanProperties, ItemIndexIsDivision) {
  using Plan = TypeParam;
  for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
    const std::uint64_t unit = Plan::unit_bytes(cls);
    for (std::uint64_t byte = 0; byte < Plan::chunk_bytes; ++byte) {
      ASSERT_EQ(Plan::template item_index<std::uint64_t>(cls, byte), byte / unit)
          << "class " << cls << " byte " << byte;
    }
  }
}

// The table that the allocator reads is what the arithmetic says, class by class, and each class is
// the one of its own size.
TYPED_TEST(PlanProperties, TheTableOfSizesIsItsArithmetic) {
  using Plan = TypeParam;
  for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
    const auto bytes = Plan::Items::template item_bytes<std::uint64_t>(cls);
    EXPECT_EQ(Plan::unit_bytes(cls), bytes) << "class " << cls;
    EXPECT_EQ(Plan::Items::template class_of_size<std::uint64_t>(bytes), cls);
    EXPECT_EQ(Plan::Items::magazine_of_size(bytes), cls);
  }
}

TYPED_TEST(PlanProperties, ClassBytesAreDistinct) {
  using Plan = TypeParam;
  for (plan::Class cls = 0; cls <= Plan::last_small; ++cls) {
    const int kinds = (cls == Plan::unused) + Plan::is_item(cls) + Plan::is_block(cls) +
                      Plan::is_run(cls) + Plan::is_small(cls);
    EXPECT_EQ(kinds, 1) << "class " << cls;
    if (Plan::is_small(cls)) {
      EXPECT_EQ(Plan::small_of(Plan::bin_class(cls)), cls);
      EXPECT_LE(Plan::unit_bytes(Plan::bin_class(cls)), Plan::region_bytes);
    }
  }
}

}  // namespace
}  // namespace strata::check
