// A second solver, as a program that reads SMT-LIB.
#pragma once

#include <filesystem>
#include <string>

namespace strata::prove {

// Writes a problem for any solver of arrays and bit-vectors.
void export_problem(const std::filesystem::path& file, const std::string& problem);

// The first line of what the program says of the file: "sat", "unsat" or what went wrong.
std::string ask(const std::string& program, const std::filesystem::path& file);

}  // namespace strata::prove
