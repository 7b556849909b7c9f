#include "props/proofs/judge.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "props/proofs/second_solver.hpp"
#include "props/proofs/solver.hpp"

namespace strata::prove {
namespace {

// All claims of an obligation at once; where that takes longer, one by one.
constexpr unsigned together_work = 100 * million;
constexpr unsigned proof_work = 200 * million;
// A planted bug is easily refuted or not worth the time, as there are others: two rounds.
constexpr unsigned twin_works[] = {4 * million, 25 * million};

// Processor time, not the clock's: the machine may be busy with other things.
double seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}
double own_seconds() { return seconds(RUSAGE_SELF); }
double childrens_seconds() { return seconds(RUSAGE_CHILDREN); }

// Those claims that are not plain truths already. Safety is left out for twins: a planted bug that
// only makes the code trap would be found by any proof.
// `proved` are the terms of claims that hold: a planted bug leaves most as they are.
std::vector<const Proof::Claim*> open_claims(const Proof& proof, bool with_safety,
                                             const std::set<unsigned>& proved = {}) {
  std::vector<const Proof::Claim*> open;
  for (const Proof::Claim& claim : proof.claims()) {
    if ((with_safety || !claim.is_safety) && !claim.holds.is_true() &&
        !proved.contains(claim.holds.id())) {
      open.push_back(&claim);
    }
  }
  return open;
}

// That one of the claims is broken.
z3::solver problem(z3::context& context, const Proof& proof,
                   const std::vector<const Proof::Claim*>& claims, unsigned work) {
  z3::solver solver = make_solver(context, work);
  for (const Term& assumption : proof.assumptions()) {
    solver.add(assumption);
  }
  Term all = context.bool_val(true);
  for (const Proof::Claim* claim : claims) {
    all = all && claim->holds;
  }
  solver.add(!all);
  return solver;
}

std::string counter_example(const Proof& proof, const z3::model& model) {
  std::string text;
  for (const auto& [name, term] : proof.inputs()) {
    text += fmt::format("      {} = {:#x}\n", name, model.eval(term, true).get_numeral_uint64());
  }
  return text;
}

struct Twin {
  bool refuted = false;
  std::string text;     // the planted bug
  std::string problem;  // SMT-LIB
  unsigned tried = 0;
};

// Whether some claim has a counter-example while the bug is there.
bool refutes(Machine& machine, const Obligation& obligation, const Mutation& mutation,
             const std::set<unsigned>& proved, unsigned work, Twin& twin) {
  machine.plant(&mutation);
  Proof proof(machine);
  obligation.build(proof);
  const std::vector<const Proof::Claim*> open = open_claims(proof, false, proved);
  if (open.empty()) {
    return false;
  }
  z3::solver solver = problem(machine.context(), proof, open, work);
  if (solver.check() != z3::sat) {
    return false;
  }
  twin = {true, mutation.text, solver.to_smt2(), twin.tried};
  return true;
}

// Those that most often show first: a store that is missing, then what only computes otherwise.
std::multimap<Change, Mutation, std::greater<>> in_turn(const std::vector<Mutation>& mutations) {
  std::multimap<Change, Mutation, std::greater<>> sorted;
  for (const Mutation& mutation : mutations) {
    sorted.emplace(mutation.change, mutation);
  }
  return sorted;
}

// The first planted bug, in that order, that has a counter-example.
Twin find_twin(Machine& machine, const Obligation& obligation, const Proof& proved) {
  Twin twin;
  std::set<unsigned> known;
  for (const Proof::Claim& claim : proved.claims()) {
    known.insert(claim.holds.id());
  }
  const auto mutations = in_turn(machine.mutations());
  for (const unsigned work : twin_works) {
    for (const auto& [change, mutation] : mutations) {
      ++twin.tried;
      try {
        if (refutes(machine, obligation, mutation, known, work, twin)) {
          machine.plant(nullptr);
          return twin;
        }
      } catch (const Unsupported&) {
        continue;  // the bug leads the code to where no meaning is: another one
      }
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
    const double start = own_seconds();
    Proof proof(machine);
    obligation.build(proof);
    const std::vector<const Proof::Claim*> claims = open_claims(proof, true);
    std::vector<z3::solver> parts = {problem(context, proof, claims, together_work)};
    if (parts[0].check() != z3::unsat) {
      parts = one_by_one(context, obligation.name, proof, claims);
      if (parts.empty()) {
        return;
      }
    }
    const double proof_s = own_seconds() - start;
    ++proved_;
    claims_ += proof.claims().size();
    const double twin_start = own_seconds();
    const Twin twin = find_twin(machine, obligation, proof);
    refuted_ += twin.refuted ? 1 : 0;
    fmt::print("proved   {:46} {:6.2f} s {:4} claims; twin {:5.2f} s ", obligation.name, proof_s,
               proof.claims().size(), own_seconds() - twin_start);
    fmt::print("{}\n", twin.refuted
                           ? fmt::format("refuted: {}", twin.text)
                           : fmt::format("NONE of {} planted bugs is refuted", twin.tried));
    if (!options_.export_directory.empty()) {
      second_opinion(obligation.name, parts, twin);
    }
    std::fflush(stdout);
  }

  Verdict summary() const {
    const bool second = !options_.second_solver.empty();
    fmt::print(
        "\n{} obligations of {} claims: {} proved, {} twins refuted, in {:.1f} s of one core", all_,
        claims_, proved_, refuted_, own_seconds());
    if (second) {
      fmt::print("; of both {} agreed by the second solver, {} problems in {:.1f} s", agreed_,
                 problems_, second_s_);
    }
    fmt::print("\n");
    if (all_ == 0) {
      fmt::print("strata_prove: no obligation has such a name\n");
    }
    const bool holds = all_ != 0 && proved_ == all_ && refuted_ == all_;
    return {holds && (!second || agreed_ == all_), proved_, claims_};
  }

 private:
  // Each claim as a problem of its own, all of them solved; or none, and what is broken is said.
  static std::vector<z3::solver> one_by_one(z3::context& context, const std::string& name,
                                            const Proof& proof,
                                            const std::vector<const Proof::Claim*>& claims) {
    std::vector<z3::solver> parts;
    for (const Proof::Claim* claim : claims) {
      parts.push_back(problem(context, proof, {claim}, proof_work));
      const z3::check_result result = parts.back().check();
      if (result != z3::unsat) {
        fmt::print("FAILED   {}\n      broken: {}\n{}", name, claim->what,
                   result == z3::sat ? counter_example(proof, parts.back().get_model())
                                     : "      undecided within the limit\n");
        return {};
      }
    }
    return parts;
  }

  // The obligation's problems, and its twin's.
  void second_opinion(const std::string& name, std::vector<z3::solver>& parts, const Twin& twin) {
    std::string stem = name;
    std::ranges::replace_if(stem, [](char c) { return std::isalnum(c) == 0; }, '-');
    const std::filesystem::path directory = options_.export_directory;
    bool agrees = twin.refuted;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      agrees &= says(directory / fmt::format("{}.{}.smt2", stem, i), parts[i].to_smt2(), "unsat");
    }
    agrees &= !twin.refuted || says(directory / (stem + ".twin.smt2"), twin.problem, "sat");
    agreed_ += agrees ? 1 : 0;
  }

  bool says(const std::filesystem::path& file, const std::string& problem,
            const std::string& expected) {
    export_problem(file, problem);
    if (options_.second_solver.empty()) {
      return true;
    }
    ++problems_;
    const double start = childrens_seconds();
    const std::string answer = ask(options_.second_solver, file);
    second_s_ += childrens_seconds() - start;
    if (answer != expected) {
      fmt::print("      the second solver says {}, not {}, of {}\n", answer, expected,
                 file.string());
    }
    return answer == expected;
  }

  std::string bitcode_file_;
  const Options& options_;
  std::size_t all_ = 0, claims_ = 0, proved_ = 0, refuted_ = 0, agreed_ = 0, problems_ = 0;
  double second_s_ = 0;
};

}  // namespace

Verdict judge(const std::vector<Obligation>& obligations, const std::string& bitcode_file,
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
