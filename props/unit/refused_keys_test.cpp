// malloc in a process that gets no thread key, or whose thread may not set its value: it serves, by
// the bins, and nothing waits for a thread's end. The first call comes before any constructor, and
// registering the fork handlers allocates and frees.
#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "include/strata/strata.h"

extern "C" int __register_atfork(void (*)(), void (*)(), void (*)(), void*) noexcept;

namespace {

constexpr const char* no_key = "STRATA_TEST_NO_KEY";
bool keys_are_refused = false;
bool a_key_was_refused = false;

void* first = nullptr;
void* of_registering = nullptr;

// getenv does not know the environment yet.
void call_first(int, char**, char** environment) {
  for (; *environment != nullptr; ++environment) {
    keys_are_refused |= std::strncmp(*environment, no_key, std::strlen(no_key)) == 0;
  }
  first = std::malloc(40);
}

}  // namespace

extern "C" {

[[gnu::section(".preinit_array"), gnu::used]] void (*before_constructors)(int, char**,
                                                                          char**) = call_first;

// These stand before the C library's.
int pthread_key_create(pthread_key_t* key, void (*)(void*)) noexcept {
  *key = 0;
  a_key_was_refused |= keys_are_refused;
  return keys_are_refused ? EAGAIN : 0;
}
int pthread_setspecific(pthread_key_t, const void*) noexcept { return ENOMEM; }
int pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)()) noexcept {
  of_registering = std::malloc(40);
  void* volatile soon_freed = std::malloc(40);
  std::free(soon_freed);
  return __register_atfork(prepare, parent, child, nullptr);
}
}

namespace {

// By a thread that never allocates.
bool frees_elsewhere(void* object) {
  pthread_t thread{};
  const auto run = [](void* p) -> void* {
    std::free(p);
    return nullptr;
  };
  return pthread_create(&thread, nullptr, run, object) == 0 && pthread_join(thread, nullptr) == 0;
}

bool serves() {
  std::array<char*, 500> live{};
  for (std::size_t i = 0; i < 20'000; ++i) {
    char*& p = live[i * 7 % live.size()];
    std::free(p);
    p = static_cast<char*>(std::malloc(i % 3000 + 1));
    if (p == nullptr) {
      return false;
    }
    std::memset(p, 1, i % 3000 + 1);
  }
  for (char* const p : live) {
    std::free(p);
  }
  return frees_elsewhere(std::malloc(100)) && strata_validate() == 1;
}

long peak_kib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// A cache that no thread's end will give back is not kept.
bool threads_leave_nothing() {
  const auto run_threads = [](int count) {
    const auto run = [](void*) -> void* {
      void* volatile object = std::malloc(100);
      std::free(object);
      return nullptr;
    };
    for (int i = 0; i < count; ++i) {
      pthread_t thread{};
      if (pthread_create(&thread, nullptr, run, nullptr) != 0) {
        return false;
      }
      pthread_join(thread, nullptr);
    }
    return true;
  };
  const bool warm = run_threads(50);
  const long before = peak_kib();
  return warm && run_threads(1000) && peak_kib() < before + 1024;
}

}  // namespace

int main(int, char** argv) {
  const bool is_second = std::getenv(no_key) != nullptr;
  const bool good = first != nullptr && of_registering != nullptr && serves() &&
                    threads_leave_nothing() && a_key_was_refused == is_second;
  std::free(first);
  std::free(of_registering);
  std::printf("%s: %s\n", is_second ? "no key" : "no value of a key", good ? "good" : "bad");
  std::fflush(stdout);
  if (!good || is_second) {
    return good ? 0 : 1;
  }
  const pid_t child = fork();
  if (child == 0) {
    setenv(no_key, "1", 1);
    execv("/proc/self/exe", argv);
    _exit(2);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
