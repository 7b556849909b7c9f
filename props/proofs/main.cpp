// strata_prove ROOM BITCODE [--only NAME] [--export DIR] [--cvc5 PROGRAM]
//
// Proves every obligation of a room, refutes a planted bug for each, and lets a second solver judge
// the same problems.

#include <CLI/CLI.hpp>

#include "props/proofs/judge.hpp"

namespace strata::prove {
namespace {

// What is no longer asked would be missed by nobody: at least so much has to be proved.
struct Room {
  std::vector<Obligation> (*obligations)();
  std::size_t obligations_min, claims_min;
};

bool holds(const Room& room, const std::string& bitcode, const Options& options) {
  const Verdict verdict = judge(room.obligations(), bitcode, options);
  if (!verdict.holds || !options.only.empty()) {
    return verdict.holds;
  }
  const bool is_all =
      verdict.obligations >= room.obligations_min && verdict.claims >= room.claims_min;
  if (!is_all) {
    fmt::print("strata_prove: {} obligations of {} claims are what there was to prove\n",
               room.obligations_min, room.claims_min);
  }
  return is_all;
}

}  // namespace
}  // namespace strata::prove

int main(int argc, char** argv) {
  using namespace strata::prove;
  CLI::App app("Proofs about the production source, by Z3; each with a bug that must be refuted.");
  std::string room;
  std::string bitcode;
  Options options;
  app.add_option("room", room,
                 "pow2, quarter, binmap, lists, chunks, items, moves, blocks or segments")
      ->required();
  app.add_option("bitcode", bitcode, "the compiled subjects of the room")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--only", options.only, "only obligations whose name contains this");
  app.add_option("--export", options.export_directory, "write each problem there, as SMT-LIB");
  app.add_option("--cvc5", options.second_solver, "let this program judge the exported problems");
  CLI11_PARSE(app, argc, argv);

  const std::map<std::string, Room> rooms = {
      {"pow2", {pow2_obligations, 32, 159}},      {"quarter", {quarter_obligations, 32, 291}},
      {"binmap", {binmap_obligations, 45, 140}},  {"lists", {list_obligations, 2, 10}},
      {"chunks", {chunk_obligations, 6, 195}},    {"items", {item_obligations, 18, 168}},
      {"moves", {move_obligations, 12, 450}},     {"blocks", {block_obligations, 6, 117}},
      {"segments", {segment_obligations, 3, 25}},
  };
  if (!rooms.contains(room)) {
    fmt::print(stderr,
               "strata_prove: there is no room {}; rooms are pow2, quarter, binmap, lists, "
               "chunks, items, moves, blocks, segments\n",
               room);
    return 2;
  }
  try {
    if (holds(rooms.at(room), bitcode, options)) {
      return 0;
    }
    fmt::print("again: ci/repro test:prove:prove_{}\n", room);
  } catch (const std::exception& error) {
    fmt::print(stderr, "strata_prove: {}\n", error.what());
  }
  return 1;
}
