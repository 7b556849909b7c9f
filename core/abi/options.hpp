// STRATA_OPTIONS: a comma-separated list of name:value.
//
//   check:N   every N-th structural event has all the books recomputed (0: the chunk or block of
//             each event is still checked). In the checked library; the others say that it does
//             nothing there.
#pragma once

#include <cstdint>
#include <string_view>

namespace strata {

struct Options {
  std::uint32_t check = 0;
};

struct ParsedOptions {
  Options options;
  std::string_view wrong;        // the part that could not be read; empty if all was
  const char* remedy = nullptr;  // what would be right there
};

// Pure; never allocates. Of options given twice the last counts.
ParsedOptions parse_options(std::string_view text);

}  // namespace strata
