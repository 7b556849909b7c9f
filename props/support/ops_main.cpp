// strata-ops: prints a file of the operation format, writes it as C++, or runs it.

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>

#include "props/support/operation.hpp"
#include "props/support/plans.hpp"
#include "props/support/runner.hpp"
#include "props/support/trace.hpp"
#include "props/support/violation.hpp"

namespace {

using namespace strata::check;

const std::map<std::string, MakeRunner*> runners = {
    {"tiny", scripted_runner<Tiny>},
    {"pow2", scripted_runner<strata::plan::Pow2>},
    {"quarter", scripted_runner<strata::plan::Quarter>}};
const std::map<std::string, std::string> plan_types = {
    {"tiny", "Tiny"}, {"pow2", "strata::plan::Pow2"}, {"quarter", "strata::plan::Quarter"}};

std::vector<std::uint8_t> read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void print_trace(std::span<const std::uint8_t> bytes) {
  TraceReader reader(bytes);
  for (TraceOperation op; reader.next(op);) {
    std::puts(to_text(op).c_str());
  }
}

// To standard output, in the flavour that fuzzers read.
void write_prefix(std::span<const std::uint8_t> trace, std::size_t operations) {
  const auto bytes = encode(to_program(trace, operations));
  std::fwrite(bytes.data(), 1, bytes.size(), stdout);
}

int print_or_run(int argc, char** argv) {
  CLI::App app(
      "Prints a file of the operation format; --cpp writes a C++ program that replays it, "
      "--run does so. Exit code 1: a violation.");
  std::string path;
  std::string plan = "pow2";
  bool cpp = false;
  bool run = false;
  std::size_t prefix = 0;
  app.add_option("file", path)->required()->check(CLI::ExistingFile);
  app.add_option("--plan", plan, "tiny, pow2 or quarter")->check(CLI::IsMember(runners));
  app.add_flag("--cpp", cpp, "write a C++ program that replays the file");
  app.add_flag("--run", run, "run the file, validating after every operation");
  auto* const trace = app.add_flag("--trace")->description("the file is a trace: print it");
  app.add_option("--prefix", prefix, "write so many of its operations as fuzzers read them")
      ->needs(trace);
  CLI11_PARSE(app, argc, argv);

  const auto bytes = read(path);
  if (trace->count() > 0) {
    require(TraceReader::is_trace(bytes), "{}: not a trace (is it still compressed? xz -d)", path);
    prefix > 0 ? write_prefix(bytes, prefix) : print_trace(bytes);
    return 0;
  }
  const Program program = decode(bytes);
  std::fputs((cpp ? to_cpp(program, plan_types.at(plan)) : to_text(program)).c_str(), stdout);
  if (run) {
    runners.at(plan)(program.setup, {})->run(program);
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
