// The stress on each plan, and where space is short.
#include "props/unit/stress.hpp"

#include "props/unit/room.hpp"

namespace strata::check {
namespace {

template <class Plan>
void stress(std::uint32_t segments) {
  Room<Plan> room(segments);
  const char* const failure = Stress<RealAllocator<Plan>>::run(room.allocator());
  EXPECT_EQ(failure, nullptr) << failure;
}

TEST(Stress, Pow2) { stress<plan::Pow2>(256); }
TEST(Stress, Quarter) { stress<plan::Quarter>(256); }
TEST(Stress, SmallSpace) { stress<plan::Pow2>(1); }

TEST(Stress, Shards) {
  using Sharded = ShardedAllocator<plan::Malloc>;
  static Sharded allocator;
  ASSERT_TRUE(allocator.open(256));
  ASSERT_EQ(allocator.heap().shards(), 8U);
  const char* const failure = Stress<Sharded>::run(allocator);
  EXPECT_EQ(failure, nullptr) << failure;
  EXPECT_TRUE(allocator.validate(Quiet::yes));
  allocator.close();
}

}  // namespace
}  // namespace strata::check
