// The models themselves checked: what one says when something goes on behind its back. Names the
// oracle that says it, as RapidCheck quotes it, so that each is shown to look.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace strata::check {

inline void expect_said(std::string_view oracle, const auto& by) {
  std::string said = "nothing";
  try {
    by();
  } catch (const rc::detail::CaseResult& failure) {
    said = failure.description;
  }
  EXPECT_NE(said.find(oracle), std::string::npos) << "expected: " << oracle << "\nsaid: " << said;
}

// Of a fresh model, of what `lie` does to it, or at the check thereafter.
template <class Model>
void expect_said(std::string_view oracle, void (*lie)(Model&)) {
  expect_said(oracle, [lie] {
    Model model;
    lie(model);
    model.check();
  });
}

template <class Model>
void command(Model& model, std::string_view name, std::uint32_t a = 0, std::uint32_t b = 0) {
  const auto& found =
      *std::ranges::find(Model::commands, name, [](const auto& c) { return c.name; });
  (model.*found.run)(a, b);
}

}  // namespace strata::check
