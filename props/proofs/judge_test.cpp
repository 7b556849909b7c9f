// The judge judged: whatever is wrong with an obligation, or with a second answer to it, is seen.
//
// strata_prove_judge_test BITCODE DIRECTORY CVC5: of plan Pow2; problems go to the directory.

#include "props/proofs/judge.hpp"

#include "props/proofs/plan_view.hpp"

namespace strata::prove {
namespace {

// --- Obligations of one function, of which only the first is as it must be --------------------

Term unit_of(Plan& plan, const Term& bin) { return plan.call("plan_unit_bytes", {bin}); }

void units_have_bytes(Plan& plan) {
  plan.proof().claim("a unit has bytes", unit_of(plan, plan.bin()) != 0);
}

void a_claim_is_wrong(Plan& plan) {
  const Term unit = unit_of(plan, plan.bin());
  plan.proof().claim("a unit is a chunk", unit == plan.number(chunk_bytes));
}

// As on two paths.
void the_second_of_a_name_is_wrong(Plan& plan) {
  const Term unit = unit_of(plan, plan.bin());
  plan.proof().claim("on each path", unit != 0);
  plan.proof().claim("on each path", unit == plan.number(chunk_bytes));
}

void the_first_of_a_name_is_wrong(Plan& plan) {
  const Term unit = unit_of(plan, plan.bin());
  plan.proof().claim("on each path", unit == plan.number(chunk_bytes));
  plan.proof().claim("on each path", unit != 0);
}

// What is claimed of those that return holds; the others shift by more than a word has bits.
void some_bins_reach_a_trap(Plan& plan) {
  plan.proof().after("plan_unit_bytes", {{plan.proof().u32("any bin")}}, [&](const End& end) {
    plan.proof().claim("a unit has bytes", end.result.term != 0);
  });
}

// Nothing can break what is claimed of nothing, so no planted bug does.
void no_input_is_left(Plan& plan) {
  const Term bin = plan.bin();
  const Term unit = unit_of(plan, bin);
  plan.proof().assume(bin == 0);
  plan.proof().claim("a unit has bytes", unit != 0);
}

void the_code_is_not_asked(Plan& plan) {
  const Term bin = plan.bin();
  unit_of(plan, bin);
  plan.proof().claim("no square ends in binary 10 or 11", z3::ult(bin * bin & 3, 2));
}

Obligation of_plan(const char* name, void (*state)(Plan&)) {
  return {name, [state](Proof& proof) {
            Plan plan = Plan::of<plan::Pow2>(proof);
            state(plan);
          }};
}

// --- What the judge must say of them ----------------------------------------------------------

struct Case {
  const char* name;
  bool holds;
  std::vector<Obligation> obligations;
  std::string second_solver = {};
};

int test(const std::string& bitcode, const std::string& directory, const std::string& cvc5) {
  const Obligation right = of_plan("units have bytes", units_have_bytes);
  const Obligation wrong = of_plan("a claim is wrong", a_claim_is_wrong);
  const Case cases[] = {
      {"all is right", true, {right}, cvc5},
      {"a claim is wrong", false, {wrong}},
      {"the first obligation is wrong", false, {wrong, right}},
      {"the last obligation is wrong", false, {right, wrong}},
      {"a claim is wrong on the first path",
       false,
       {of_plan("first of a name", the_first_of_a_name_is_wrong)}},
      {"a claim is wrong on the second path",
       false,
       {of_plan("second of a name", the_second_of_a_name_is_wrong)}},
      {"a trap is reached", false, {of_plan("any bin", some_bins_reach_a_trap)}},
      {"the assumptions leave no input", false, {of_plan("no input", no_input_is_left)}},
      {"the claim is not about the code", false, {of_plan("squares", the_code_is_not_asked)}},
      {"there is no obligation", false, {}},
      // The rest of the line, options and the problem's file, is a comment.
      {"the second solver has a counter-example", false, {right}, "echo sat #"},
      {"the second solver has none of the planted bug", false, {right}, "echo unsat #"},
      {"the second solver says nothing", false, {right}, "true #"},
  };
  int mistaken = 0;
  for (const auto& [name, holds, obligations, second_solver] : cases) {
    const bool held = judge(obligations, bitcode, {"", directory, second_solver}).holds;
    mistaken += held == holds ? 0 : 1;
    fmt::print("{}: {}, judged to {}\n\n", held == holds ? "right" : "WRONG", name,
               held ? "hold" : "fail");
  }
  return mistaken == 0 ? 0 : 1;
}

}  // namespace
}  // namespace strata::prove

int main(int, char** argv) {
  try {
    return strata::prove::test(argv[1], argv[2], argv[3]);
  } catch (const std::exception& error) {
    fmt::print(stderr, "judge test: {}\n", error.what());
  }
  return 1;
}
