// What MemorySanitizer must see: a decision by what nothing has written. Its test passes if this
// fails.
#include <cstdio>

#include "hooks/report.hpp"

int main() {
  strata::Address fresh[2];
  volatile strata::Address* const unwritten = fresh;
  if (unwritten[1] == 0) {
    std::puts("zero by chance");
  }
  return 0;
}
