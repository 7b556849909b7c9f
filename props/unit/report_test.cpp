// What is said when something is wrong, word for word.
#include "abi/report.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "hooks/none.hpp"

namespace strata::check {
namespace {

struct Collecting : NoHooks {
  void report(const Report& report) { seen.push_back(report.address); }
  std::vector<Address> seen;
};

TEST(Reports, AreDeliveredOnceInOrderAndTheRestCounted) {
  Reports reports;
  Collecting hooks;
  for (Address address = 1; address <= 70; ++address) {
    Report report;
    report.address = address;
    reports.add(report);
  }
  EXPECT_EQ(reports.count(), 70U);
  reports.deliver(hooks);
  ASSERT_EQ(hooks.seen.size(), Reports::capacity);
  for (std::size_t i = 0; i < Reports::capacity; ++i) {
    EXPECT_EQ(hooks.seen[i], i + 1);
  }
  EXPECT_EQ(reports.count(), 0U);
  reports.deliver(hooks);
  EXPECT_EQ(hooks.seen.size(), Reports::capacity);
}

TEST(Reports, EachProblemHasItsWords) {
  std::vector<std::string> words;
  for (int i = 0; i <= static_cast<int>(Problem::lock_order); ++i) {
    words.emplace_back(describe(static_cast<Problem>(i)));
  }
  EXPECT_EQ(
      words,
      (std::vector<std::string>{
          "no problem", "pointer was not allocated here", "pointer into memory that is not in use",
          "pointer is not the start of an allocation", "free of something already free",
          "book-keeping is inconsistent", "locks taken out of order"}));
}

class ReportDeathTest : public testing::Test {
 protected:
  ReportDeathTest() { GTEST_FLAG_SET(death_test_style, "fast"); }
};

TEST_F(ReportDeathTest, SaysAllThatIsKnown) {
  Report report;
  report.problem = Problem::foreign_pointer;
  report.address = 0xABCDEF0123456789;
  EXPECT_DEATH(report_and_abort(report),
               "^strata: pointer was not allocated here: 0xabcdef0123456789\n$");
  report.slot = 0;
  EXPECT_DEATH(report_and_abort(report), "6789 \\(region 0, class 0\\)\n$");
  report.slot = 8191;
  report.cls = 107;
  report.unit_bytes = 4096;
  EXPECT_DEATH(report_and_abort(report), " \\(region 8191, class 107, units of 4096 bytes\\)\n$");
  report.unit = 0;
  EXPECT_DEATH(report_and_abort(report), ", units of 4096 bytes, block 0\\)\n$");
  report.item = 90;
  EXPECT_DEATH(report_and_abort(report), ", units of 4096 bytes, chunk 0, item 90\\)\n$");
  report.problem = Problem::broken_invariant;
  report.invariant = "one and one are two";
  EXPECT_DEATH(report_and_abort(report),
               "^strata: book-keeping is inconsistent: one and one are two: 0xab");
  EXPECT_DEATH(AbortingHandler::report(report), "one and one are two");
  EXPECT_DEATH(AbortingHandler::out_of_order(12, 34),
               "locks taken out of order: a lock's rank is above those held \\(unit: rank taken, "
               "item: rank held\\): 0x0 \\(region 0, class 0, chunk 12, item 34\\)");
}

TEST_F(ReportDeathTest, ALineThatIsTooLongIsCutOff) {
  const std::string endless(1000, 'x');
  Report report;
  report.problem = Problem::broken_invariant;
  report.invariant = endless.c_str();
  const std::string words = "strata: book-keeping is inconsistent: ";
  EXPECT_DEATH(report_and_abort(report),
               "^" + words + std::string(511 - words.size(), 'x') + "\n$");
}

// Programs look at errno without having set it.
TEST_F(ReportDeathTest, WhatCannotBeSaidLeavesErrnoAlone) {
  const auto say_it_to_nobody = [] {
    close(STDERR_FILENO);
    errno = 0;
    pass_over_option("check:1", "nothing to do");
    _exit(errno);
  };
  EXPECT_EXIT(say_it_to_nobody(), testing::ExitedWithCode(0), "");
}

TEST_F(ReportDeathTest, OtherEnds) {
  EXPECT_EXIT(reject_option("check:x", "do this"), testing::ExitedWithCode(2),
              "^strata: cannot read \"check:x\" in STRATA_OPTIONS: do this\n$");
  EXPECT_DEATH(abort_out_of_memory(),
               "^strata: operator new: out of memory, and no C\\+\\+ library that could throw "
               "bad_alloc\n$");
}

}  // namespace
}  // namespace strata::check
