// What libstrata.so is made of in a program that has no C++ library: operator new that fails must
// not need one, and must use one that was loaded meanwhile. Linked with -nostdlib++.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <new>

namespace {

// What a child says that asks operator new for more than there is; it must die of SIGABRT.
bool dies_saying(const char* text, bool with_library) {
  int ends[2];
  if (pipe(ends) != 0) {
    return false;
  }
  const pid_t child = fork();
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    if (with_library && dlopen("libstdc++.so.6", RTLD_LAZY | RTLD_LOCAL) == nullptr) {
      _exit(3);
    }
    void* const pointer = ::operator new(SIZE_MAX / 2);
    _exit(pointer == nullptr ? 4 : 5);
  }
  close(ends[1]);
  char said[1024] = {};
  for (size_t size = 0; size < sizeof said - 1;) {
    const ssize_t got = read(ends[0], said + size, sizeof said - 1 - size);
    if (got <= 0) {
      break;
    }
    size += static_cast<size_t>(got);
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  const bool good =
      WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, text) != nullptr;
  if (!good) {
    printf("expected '%s' and SIGABRT, got status %x: %s\n", text, status, said);
  }
  return good;
}

}  // namespace

int main() {
  void* const object = ::operator new(100);
  ::operator delete(object);
  const std::nothrow_t nothrow{};  // std::nothrow is in the library
  const bool is_null = ::operator new(SIZE_MAX / 2, nothrow) ==
                       nullptr&& ::operator new(SIZE_MAX / 2, std::align_val_t{64}, nothrow) ==
                       nullptr;
  const bool without = dies_saying("no C++ library that could throw bad_alloc", false);
  const bool loaded = dies_saying("bad_alloc", true);
  const auto word = [](bool good) { return good ? "good" : "bad"; };
  printf("without a C++ library: %s; with one loaded later: %s; nothrow: %s\n", word(without),
         word(loaded), word(is_null));
  return without && loaded && is_null ? 0 : 1;
}
