// The plan's arithmetic, every case of it: all sizes of a segment and its neighbours (at compile
// time for the first), and every item of a segment in every class.

#include <gtest/gtest.h>

#include "plan/plan.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

// Size -> bin -> size: it fits, and the bin before does not. Malloc's hit path agrees, and finds no
// magazine for what is no item.
template <class Plan>
constexpr bool fits(std::uint64_t size) {
  const plan::Class bin = Plan::class_for(size);
  const std::uint64_t magazine = Plan::magazine_of_size(size);
  if (Plan::is_item(bin) ? magazine != bin : magazine <= Plan::item_classes) {
    return false;
  }
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

// Of the shipped plans that is all sizes to 2^30.
TYPED_TEST(RoundTrip, EverySizeToPastASegment) {
  EXPECT_EQ(first_misfit<TypeParam>(TypeParam::segment_bytes + 300), 0U);
}

TYPED_TEST(RoundTrip, EverySizeAroundALargerPowerOfTwo) {
  for (unsigned shift = TypeParam::segment_shift + 1; shift < 64; ++shift) {
    const std::uint64_t power = std::uint64_t{1} << shift;
    for (std::uint64_t size = power - 300; size <= power + 300; ++size) {
      ASSERT_TRUE(fits<TypeParam>(size)) << size;
    }
  }
  EXPECT_TRUE(fits<TypeParam>(~std::uint64_t{0}));
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

// Segment, region, chunk, item -> offset -> the same again, of its first byte and of its last.
// False for the first that does not come back.
template <class Plan>
bool item_comes_back(std::uint64_t offset, plan::Class cls, std::uint64_t segment,
                     std::uint64_t chunk, std::uint64_t item) {
  const auto is_there = [&](std::uint64_t byte) {
    return Plan::segment_of(byte) == segment &&
           Plan::slot_of(byte) ==
               segment * Plan::regions_per_segment + chunk / Plan::chunks_per_region &&
           Plan::chunk_in_region(byte) == chunk % Plan::chunks_per_region &&
           Plan::template item_index<std::uint64_t>(cls, Plan::byte_in_chunk(byte)) == item;
  };
  return is_there(offset) && is_there(offset + Plan::unit_bytes(cls) - 1) &&
         offset % Plan::unit_align(cls) == 0;
}

TYPED_TEST(RoundTrip, EveryItemOfASegmentInEveryClass) {
  using Plan = TypeParam;
  constexpr std::uint64_t segment = 255;
  for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
    std::uint64_t offset = segment * Plan::segment_bytes;
    for (std::uint64_t chunk = 0; chunk < Plan::chunks_per_segment; ++chunk) {
      const std::uint64_t chunk_end = offset + Plan::chunk_bytes;
      for (std::uint64_t item = 0; item < Plan::items_per_chunk(cls); ++item) {
        ASSERT_TRUE(item_comes_back<Plan>(offset, cls, segment, chunk, item))
            << "class " << cls << " chunk " << chunk << " item " << item;
        offset += Plan::unit_bytes(cls);
      }
      ASSERT_LE(offset, chunk_end);
      offset = chunk_end;
    }
    EXPECT_EQ(offset, (segment + 1) * Plan::segment_bytes);
  }
}

// Every size with every alignment: the bin's units are aligned.
TYPED_TEST(RoundTrip, EveryAlignmentOfEverySmallSize) {
  using Plan = TypeParam;
  const std::uint64_t end = std::min<std::uint64_t>(Plan::segment_bytes, 70'000);
  for (std::uint64_t align = 1; align <= Plan::align_max; align *= 2) {
    for (std::uint64_t size = 1; size <= end; ++size) {
      const plan::Class bin = Plan::class_for(Plan::aligned_size(size, align));
      ASSERT_TRUE(bin == Plan::run || Plan::unit_bytes(bin) % align == 0)
          << size << " at " << align;
    }
  }
}

}  // namespace
}  // namespace strata::check
