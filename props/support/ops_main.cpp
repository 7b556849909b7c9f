// strata-ops: prints a file of the operation format, writes it as C++, or runs it.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "props/support/driver.hpp"
#include "props/support/operation.hpp"
#include "props/support/plans.hpp"

namespace {

using namespace strata::check;

const std::map<std::string, void (*)(const Program&, const Effort&)> runners = {
    {"tiny", run_program<Tiny>},
    {"pow2", run_program<strata::plan::Pow2>},
    {"quarter", run_program<strata::plan::Quarter>}};
const std::map<std::string, std::string> plan_types = {
    {"tiny", "Tiny"}, {"pow2", "strata::plan::Pow2"}, {"quarter", "strata::plan::Quarter"}};

std::vector<std::uint8_t> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

int print_or_run(int argc, char** argv) {
  CLI::App app(
      "Prints a file of the operation format; --cpp writes a C++ program that replays it, "
      "--run does so. Exit code 1: a violation.");
  std::string path;
  std::string plan = "pow2";
  bool cpp = false;
  bool run = false;
  app.add_option("file", path)->required()->check(CLI::ExistingFile);
  app.add_option("--plan", plan, "tiny, pow2 or quarter")->check(CLI::IsMember(runners));
  app.add_flag("--cpp", cpp, "write a C++ program that replays the file");
  app.add_flag("--run", run, "run the file, validating after every operation");
  CLI11_PARSE(app, argc, argv);

  const Program program = decode(read(path));
  std::fputs((cpp ? to_cpp(program, plan_types.at(plan)) : to_text(program)).c_str(), stdout);
  if (run) {
    runners.at(plan)(program, {});
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return print_or_run(argc, argv);
  } catch (const std::exception& error) {  // a violation, mostly
    std::fprintf(stderr, "violation: %s\n", error.what());
    return 1;
  }
}
