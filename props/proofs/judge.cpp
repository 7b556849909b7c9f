#include "props/proofs/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "props/proofs/second_solver.hpp"
#include "props/proofs/solver.hpp"

namespace strata::prove {
namespace {

constexpr unsigned proof_limit_ms = 60'000;
constexpr unsigned twin_limit_ms = 1'500;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Assumptions and the opposite of the claims: no solution means proved. Safety is left out for
// twins: a planted bug that only makes the code trap would be found by any proof.
z3::solver problem(z3::context& context, const Proof& proof, bool with_safety, unsigned limit_ms) {
  z3::solver solver = make_solver(context, limit_ms);
  for (const Term& assumption : proof.assumptions()) {
    solver.add(assumption);
  }
  z3::expr_vector broken(context);
  for (const Proof::Claim& claim : proof.claims()) {
    if (with_safety || !claim.is_safety) {
      broken.push_back(!claim.holds);
    }
  }
  solver.add(z3::mk_or(broken));
  return solver;
}

std::string counter_example(const Proof& proof, const z3::model& model) {
  std::string text;
  for (const auto& [name, term] : proof.inputs()) {
    const Term value = model.eval(term, true);
    text += fmt::format("      {} = {:#x}\n", name, value.get_numeral_uint64());
  }
  for (const Proof::Claim& claim : proof.claims()) {
    if (model.eval(claim.holds, true).is_false()) {
      text += fmt::format("      broken: {}\n", claim.what);
    }
  }
  return text;
}

struct Twin {
  bool refuted = false;
  std::string text;     // the planted bug
  std::string problem;  // SMT-LIB
  unsigned tried = 0;
};

// The first planted bug, in the order in which the code ran, that has a counter-example.
Twin find_twin(Machine& machine, const Obligation& obligation) {
  Twin twin;
  for (const Mutation& mutation : machine.mutations()) {
    ++twin.tried;
    machine.plant(&mutation);
    try {
      Proof proof(machine);
      obligation.build(proof);
      z3::solver solver = problem(machine.context(), proof, false, twin_limit_ms);
      if (solver.check() == z3::sat) {
        twin.refuted = true;
        twin.text = mutation.text;
        twin.problem = solver.to_smt2();
        break;
      }
    } catch (const Unsupported&) {
      // The bug leads the code to where no meaning is: try another.
    }
  }
  machine.plant(nullptr);
  return twin;
}

class Judge {
 public:
  Judge(std::string bitcode_file, const Options& options)
      : bitcode_file_(std::move(bitcode_file)), options_(options) {}

  void judge(const Obligation& obligation) {
    z3::context context;
    Machine machine(context, bitcode_file_);
    ++all_;
    const auto start = Clock::now();
    Proof proof(machine);
    obligation.build(proof);
    z3::solver solver = problem(context, proof, true, proof_limit_ms);
    const z3::check_result result = solver.check();
    const double proof_s = seconds_since(start);
    if (result != z3::unsat) {
      fmt::print("FAILED   {:60} {:6.2f} s\n", obligation.name, proof_s);
      fmt::print("{}", result == z3::sat ? counter_example(proof, solver.get_model())
                                         : "      undecided within the limit\n");
      return;
    }
    ++proved_;
    const auto twin_start = Clock::now();
    const Twin twin = find_twin(machine, obligation);
    refuted_ += twin.refuted ? 1 : 0;
    const double twin_s = seconds_since(twin_start);
    fmt::print("proved   {:60} {:6.2f} s   twin {:6.2f} s ", obligation.name, proof_s, twin_s);
    fmt::print("{}\n", twin.refuted
                           ? fmt::format("(of {} planted) {}", twin.tried, twin.text)
                           : fmt::format("NONE of {} planted bugs is refuted", twin.tried));
    if (!options_.export_directory.empty()) {
      second_opinion(obligation.name, solver.to_smt2(), twin);
    }
    std::fflush(stdout);
  }

  bool summary() const {
    const bool second = !options_.second_solver.empty();
    fmt::print("\n{} obligations: {} proved, {} with a refuted twin", all_, proved_, refuted_);
    if (second) {
      fmt::print(", {} of {} problems agreed by the second solver in {:.1f} s", agreed_, 2 * all_,
                 second_s_);
    }
    fmt::print("\n");
    if (all_ == 0) {
      fmt::print("strata_prove: no obligation has such a name\n");
    }
    return all_ != 0 && proved_ == all_ && refuted_ == all_ && (!second || agreed_ == 2 * all_);
  }

 private:
  void second_opinion(const std::string& name, const std::string& problem, const Twin& twin) {
    std::string file_name = name;
    std::ranges::replace_if(file_name, [](char c) { return std::isalnum(c) == 0; }, '-');
    const auto file = std::filesystem::path(options_.export_directory) / (file_name + ".smt2");
    auto twin_file = file;
    twin_file.replace_extension(".twin.smt2");
    export_problem(file, problem);
    export_problem(twin_file, twin.problem);
    if (options_.second_solver.empty()) {
      return;
    }
    const auto start = Clock::now();
    for (const auto& [which, expected] :
         {std::pair(file, "unsat"), std::pair(twin_file, "sat")}) {
      const std::string answer = ask(options_.second_solver, which);
      agreed_ += answer == expected ? 1 : 0;
      if (answer != expected) {
        fmt::print("      {} says {}, not {}: {}\n", options_.second_solver, answer, expected,
                   which.string());
      }
    }
    second_s_ += seconds_since(start);
  }

  std::string bitcode_file_;
  const Options& options_;
  unsigned all_ = 0, proved_ = 0, refuted_ = 0, agreed_ = 0;
  double second_s_ = 0;
};

}  // namespace

bool judge(const std::vector<Obligation>& obligations, const std::string& bitcode_file,
           const Options& options) {
  Judge judge(bitcode_file, options);
  for (const Obligation& obligation : obligations) {
    if (obligation.name.find(options.only) != std::string::npos) {
      judge.judge(obligation);
    }
  }
  return judge.summary();
}

}  // namespace strata::prove
