// The stress on each plan, and where space is short.
#include "props/unit/stress.hpp"

#include "props/unit/room.hpp"

namespace strata::check {
namespace {

template <class Plan>
void stress(std::uint32_t segments) {
  Room<Plan> room(segments);
  const char* const failure = Stress<Plan>::run(room.allocator());
  EXPECT_EQ(failure, nullptr) << failure;
}

TEST(Stress, Pow2) { stress<plan::Pow2>(256); }
TEST(Stress, Quarter) { stress<plan::Quarter>(256); }
TEST(Stress, SmallSpace) { stress<plan::Pow2>(1); }

}  // namespace
}  // namespace strata::check
