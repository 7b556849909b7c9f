// strata_prove ROOM BITCODE [--only NAME] [--export DIR] [--cvc5 PROGRAM]
//
// Proves every obligation of a room, refutes a planted bug for each, and lets a second solver judge
// the same problems.

#include <CLI/CLI.hpp>

#include "props/proofs/judge.hpp"

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

  const std::map<std::string, std::vector<Obligation> (*)()> rooms = {
      {"pow2", pow2_obligations},        {"quarter", quarter_obligations},
      {"binmap", binmap_obligations},    {"lists", list_obligations},
      {"chunks", chunk_obligations},     {"items", item_obligations},
      {"moves", move_obligations},       {"blocks", block_obligations},
      {"segments", segment_obligations},
  };
  if (!rooms.contains(room)) {
    fmt::print(stderr,
               "strata_prove: there is no room {}; rooms are pow2, quarter, binmap, lists, "
               "chunks, items, moves, blocks, segments\n",
               room);
    return 2;
  }
  try {
    if (judge(rooms.at(room)(), bitcode, options)) {
      return 0;
    }
    fmt::print("again: ci/repro test:prove:prove_{}\n", room);
  } catch (const std::exception& error) {
    fmt::print(stderr, "strata_prove: {}\n", error.what());
  }
  return 1;
}
