// The plan's arithmetic, every case of it: all sizes up to 2^20 (at compile time for the first),
// and every item of a chunk in every class.

#include <gtest/gtest.h>

#include "plan/plan.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

// Size -> bin -> size: it fits, and the bin before does not.
template <class Plan>
constexpr bool fits(std::uint64_t size) {
  const plan::Class bin = Plan::bin_for(size);
  if (bin == Plan::run) {
    return size > Plan::segment_bytes;
  }
  return bin >= 1 && bin <= Plan::last_block && Plan::unit_bytes(bin) >= size &&
         (bin == 1 || Plan::unit_bytes(bin - 1) < size);
}

template <class Plan>
constexpr std::uint64_t first_misfit(std::uint64_t end) {
  for (std::uint64_t size = 1; size < end; ++size) {
    if (!fits<Plan>(size)) {
      return size;
    }
  }
  return 0;
}

static_assert(first_misfit<plan::Pow2>(4096) == 0 && first_misfit<plan::Quarter>(4096) == 0);
static_assert(first_misfit<Tiny>(1024) == 0 && first_misfit<SmallQuarter>(4096) == 0);

template <class Plan>
class RoundTrip : public testing::Test {};
using Plans = testing::Types<plan::Pow2, plan::Quarter, Tiny, Small, SmallQuarter>;
TYPED_TEST_SUITE(RoundTrip, Plans);

TYPED_TEST(RoundTrip, EverySizeToAMebibyte) {
  EXPECT_EQ(first_misfit<TypeParam>((std::uint64_t{1} << 20) + 2), 0U);
}

TYPED_TEST(RoundTrip, EverySizeAroundAPowerOfTwo) {
  for (unsigned shift = 1; shift <= TypeParam::segment_shift + 1; ++shift) {
    const std::uint64_t power = std::uint64_t{1} << shift;
    for (std::uint64_t size = power - std::min<std::uint64_t>(power - 1, 300); size <= power + 300;
         ++size) {
      ASSERT_TRUE(fits<TypeParam>(size)) << size;
    }
  }
}

// Bytes of the item that starts at `byte` which item_index knows to be of it.
template <class Plan>
std::uint64_t bytes_of_item(plan::Class cls, std::uint64_t item, std::uint64_t byte) {
  const std::uint64_t first = byte;
  while (byte < Plan::chunk_bytes && Plan::template item_index<std::uint64_t>(cls, byte) == item) {
    ++byte;
  }
  return byte - first;
}

// Item -> offset -> item, and every byte inside gives the same item.
TYPED_TEST(RoundTrip, EveryItemOfEveryClass) {
  using Plan = TypeParam;
  for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
    const std::uint64_t unit = Plan::unit_bytes(cls);
    std::uint64_t byte = 0;
    for (std::uint64_t item = 0; item < Plan::items_per_chunk(cls); ++item, byte += unit) {
      ASSERT_EQ(bytes_of_item<Plan>(cls, item, byte), unit) << "class " << cls << " item " << item;
    }
    EXPECT_LE(byte, Plan::chunk_bytes);
    EXPECT_GT(byte + unit, Plan::chunk_bytes) << "a whole item more would have room";
  }
}

// Every size with every alignment: the bin's units are aligned.
TYPED_TEST(RoundTrip, EveryAlignmentOfEverySmallSize) {
  using Plan = TypeParam;
  const std::uint64_t end = std::min<std::uint64_t>(Plan::segment_bytes, 70'000);
  for (std::uint64_t align = 1; align <= Plan::align_max; align *= 2) {
    for (std::uint64_t size = 1; size <= end; ++size) {
      const plan::Class bin = Plan::bin_for(Plan::aligned_size(size, align));
      ASSERT_TRUE(bin == Plan::run || Plan::unit_bytes(bin) % align == 0)
          << size << " at " << align;
    }
  }
}

}  // namespace
}  // namespace strata::check
