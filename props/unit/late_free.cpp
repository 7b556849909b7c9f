// A library whose destructor frees an object twice. Preloaded behind strata's, it is the last that
// runs in a process.
#include <cstdlib>

[[gnu::destructor]]
static void free_twice() {
  void* volatile object = std::malloc(100);
  std::free(object);
  std::free(object);
}
