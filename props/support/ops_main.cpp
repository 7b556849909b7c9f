// strata-ops: prints a file of the operation format, writes it as C++, or runs it.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "props/support/operation.hpp"
#include "props/support/runner.hpp"
#include "props/support/trace.hpp"
#include "props/support/violation.hpp"

namespace {

using namespace strata::check;

constexpr int passed = 0, violation_found = 1, wrong_argument = 2;

std::vector<std::string> plan_names() {
  std::vector<std::string> names;
  for (const NamedRunner& each : named_runners) {
    names.emplace_back(each.name);
  }
  return names;
}

bool is_below(const std::filesystem::path& file, const std::string& folder) {
  const auto path = std::filesystem::absolute(file);
  return std::find(path.begin(), path.end(), folder) != path.end();
}

// The plan of the fuzz target in whose folder the file is (its corpus, what it found); else pow2.
std::string plan_of(const std::filesystem::path& file) {
  for (const NamedRunner& each : named_runners) {
    if (is_below(file, std::string("fuzz_heap_") + each.name)) {
      return each.name;
    }
  }
  return "pow2";
}

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

// A trace is printed, or a part of it written as fuzzers read it.
int show_trace(const std::string& path, std::size_t prefix) {
  const auto bytes = read(path);
  if (!TraceReader::is_trace(bytes)) {
    std::fprintf(stderr, "%s: not a trace (is it still compressed? xz -d)\n", path.c_str());
    return wrong_argument;
  }
  prefix > 0 ? write_prefix(bytes, prefix) : print_trace(bytes);
  return passed;
}

int print_or_run(int argc, char** argv) {
  CLI::App app(
      "Prints a file of the operation format; --cpp writes a C++ program that replays it, "
      "--run does so. Exit code 1: a violation; 2: a wrong argument.");
  std::string path;
  std::string plan;
  bool cpp = false;
  bool run = false;
  std::size_t prefix = 0;
  app.add_option("file", path)->required()->check(CLI::ExistingFile);
  app.add_option("--plan", plan,
                 "default: that of the folder fuzz_heap_PLAN which the file is in, else pow2")
      ->check(CLI::IsMember(plan_names()));
  app.add_flag("--cpp", cpp, "write a C++ program that replays the file");
  app.add_flag("--run", run, "run the file, validating after every operation");
  auto* const trace = app.add_flag("--trace")->description("the file is a trace: print it");
  app.add_option("--prefix", prefix, "write so many of its operations as fuzzers read them")
      ->needs(trace);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help is one too
    return app.exit(error) == 0 ? passed : wrong_argument;
  }
  if (trace->count() > 0) {
    return show_trace(path, prefix);
  }
  const Program program = decode(read(path));
  const NamedRunner& runner =
      *std::ranges::find(named_runners, plan.empty() ? plan_of(path) : plan, &NamedRunner::name);
  std::fputs((cpp ? to_cpp(program, runner.type) : to_text(program)).c_str(), stdout);
  if (run) {
    std::fprintf(stderr, "on plan %s\n", runner.name);
    runner.make(program.setup, {})->run(program);
  }
  return passed;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return print_or_run(argc, argv);
  } catch (const std::exception& error) {  // a violation, mostly
    std::fprintf(stderr, "violation: %s\n", error.what());
    return violation_found;
  }
}
