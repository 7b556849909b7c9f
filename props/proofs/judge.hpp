// Puts each obligation to the solvers and prints the table.
#pragma once

#include <fmt/format.h>

#include "props/proofs/proof.hpp"

namespace strata::prove {

struct Options {
  std::string only;
  std::string export_directory;
  std::string second_solver;  // needs export_directory
};

struct Verdict {
  // All is as it must be: every obligation proved, a planted bug refuted for each, and the second
  // solver, if one is asked, of the same mind about both.
  bool holds;
  std::size_t obligations, claims;  // that were proved
};

Verdict judge(const std::vector<Obligation>& obligations, const std::string& bitcode_file,
              const Options& options);

}  // namespace strata::prove
