#include "abi/options.hpp"

#include <gtest/gtest.h>

namespace strata {
namespace {

TEST(Options, ReadsWhatIsDocumented) {
  EXPECT_EQ(parse_options("").options.check, 0U);
  EXPECT_EQ(parse_options("check:7").options.check, 7U);
  EXPECT_EQ(parse_options("check:4294967295").options.check, 4294967295U);
  EXPECT_EQ(parse_options("check:1,check:2").options.check, 2U) << "the last one counts";
  EXPECT_TRUE(parse_options("check:1").wrong.empty());
}

TEST(Options, NamesWhatItCannotRead) {
  EXPECT_EQ(parse_options("check").wrong, "check");
  EXPECT_EQ(parse_options("check:").wrong, "check:");
  EXPECT_EQ(parse_options("check:-1").wrong, "check:-1");
  EXPECT_EQ(parse_options("check:4294967296").wrong, "check:4294967296");
  EXPECT_EQ(parse_options("check:1,purge:2").wrong, "purge:2");
  EXPECT_EQ(parse_options(",check:1").wrong, ",");
  EXPECT_NE(parse_options("x").remedy, nullptr);
}

}  // namespace
}  // namespace strata
