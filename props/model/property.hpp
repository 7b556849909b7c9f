// A RapidCheck property as the body of a GoogleTest test, typed ones too (RapidCheck's own macros
// do not have those); a failure prints the command that replays it.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/detail/Configuration.h>

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <string>
#include <utility>

#include "props/model/mix.hpp"

namespace strata::check {

// Cases a property, or STRATA_PROPERTY_PERCENT of them, unless RC_PARAMS says otherwise. The seed
// is fixed, so that a date never turns a run red; RC_PARAMS="max_success=… seed=…" looks further.
inline void set_default_cases() {
  const char* const percent = std::getenv("STRATA_PROPERTY_PERCENT");
  const int cases = STRATA_PROPERTY_CASES * (percent == nullptr ? 100 : std::atoi(percent)) / 100;
  const std::string parameters = "max_success=" + std::to_string(cases) + " seed=20261122";
  setenv("RC_PARAMS", parameters.c_str(), 0);
}

// STRATA_TEST_NAME is the ctest target's; props/model/CMakeLists.txt sets it.
template <class Testable>
void property(Testable&& testable) {
  set_default_cases();
  mix().clear();
  const auto* info = testing::UnitTest::GetInstance()->current_test_info();
  const std::string id = std::string(info->test_suite_name()) + "." + info->name();
  const auto result =
      rc::detail::checkTestable(std::forward<Testable>(testable), rc::detail::TestMetadata{id, id});
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  if (result.template is<rc::detail::SuccessResult>()) {
    if (!result.template get<rc::detail::SuccessResult>().distribution.empty()) {
      std::cout << text.str() << '\n';
    }
    if (!mix().empty()) {
      std::cout << id << ": " << mix() << '\n';
    }
    EXPECT_EQ(mix().never_run(), "") << id;
    return;
  }
  FAIL() << text.str() << "\nci/repro props:" STRATA_TEST_NAME ":" << id << ":"
         << rc::detail::configToMinimalString(rc::detail::configuration());
}

}  // namespace strata::check
