#include "props/proofs/second_solver.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>

namespace strata::prove {

void export_problem(const std::filesystem::path& file, const std::string& problem) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream out(file);
  out << "(set-logic QF_UFBV)\n" << problem;
  if (!out) {
    throw std::runtime_error("cannot write " + file.string());
  }
}

std::string ask(const std::string& program, const std::filesystem::path& file) {
  struct Close {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
  };
  const std::string command = program +
                              " --bitblast=eager --bv-sat-solver=cadical --tlimit=240000 '" +
                              file.string() + "' 2>&1";
  const std::unique_ptr<std::FILE, Close> pipe(popen(command.c_str(), "r"));
  std::array<char, 200> line{};
  if (pipe == nullptr || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) {
    return "nothing";
  }
  std::string answer(line.data());
  answer.erase(answer.find_last_not_of('\n') + 1);
  return answer;
}

}  // namespace strata::prove
