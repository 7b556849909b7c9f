// strata_measure RESULT LIBRARY COMMAND…: runs COMMAND with LIBRARY preloaded and writes to RESULT
// what it and the processes that it waited for took. A small program of its own, because a child's
// peak resident size never reads below that of the process that forked it.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

[[noreturn]]
void run(const char* library, char** command) {
  if (*library != '\0' && setenv("LD_PRELOAD", library, 1) != 0) {
    std::perror("strata_measure: setenv");
    _exit(126);
  }
  execvp(command[0], command);
  std::fprintf(stderr, "strata_measure: %s: %s\n", command[0], std::strerror(errno));
  _exit(127);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: strata_measure RESULT LIBRARY COMMAND...\n");
    return 2;
  }
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child < 0) {
    std::perror("strata_measure");
    return 2;
  }
  if (child == 0) {
    run(argv[2], argv + 3);
  }
  int status = 0;
  rusage used = {};
  while (wait4(child, &status, 0, &used) < 0 && errno == EINTR) {
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  std::FILE* const result = std::fopen(argv[1], "we");
  if (result == nullptr) {
    std::perror("strata_measure");
    return 2;
  }
  std::fprintf(result,
               "{\"wall_s\": %.6f, \"user_s\": %.6f, \"system_s\": %.6f, \"resident_kib\": %ld, "
               "\"faults\": %ld}\n",
               wall.count(), seconds(used.ru_utime), seconds(used.ru_stime), used.ru_maxrss,
               used.ru_minflt + used.ru_majflt);
  if (std::fclose(result) != 0) {
    std::perror("strata_measure");
    return 2;
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
