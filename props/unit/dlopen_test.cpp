// A program with another malloc that opens libstrata.so, uses it in threads, and closes it while
// they still run: the library stays (nodelete), and their exits and late frees work.
//
//   dlopen_test PATH
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

namespace {

template <class F>
F* symbol(void* library, const char* name) {
  void* const address = dlsym(library, name);
  if (address == nullptr) {
    std::fprintf(stderr, "dlopen_test: %s is missing\n", name);
    std::exit(1);
  }
  return reinterpret_cast<F*>(address);
}

int use(const char* path) {
  void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "dlopen_test: %s\n", dlerror());
    return 1;
  }
  auto* const allocate = symbol<void*(std::size_t)>(library, "malloc");
  auto* const release = symbol<void(void*)>(library, "free");
  auto* const validate = symbol<int()>(library, "strata_validate");
  std::atomic<bool> closed{false};
  std::atomic<bool> allocated{false};
  std::thread thread([&] {
    void* const p = allocate(1000);
    std::memset(p, 1, 1000);
    allocated = true;
    while (!closed) {
      std::this_thread::yield();
    }
    release(p);
    release(allocate(100'000));
  });
  while (!allocated) {
    std::this_thread::yield();
  }
  if (dlclose(library) != 0) {
    return 1;
  }
  closed = true;
  thread.join();
  return validate() == 1 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: dlopen_test PATH-OF-libstrata.so\n");
    return 2;
  }
  for (int i = 0; i < 20; ++i) {
    if (use(argv[1]) != 0) {
      return 1;
    }
  }
  return 0;
}
