// In coverage builds alone: what a process has covered that ends by abort or _exit, as those of
// death tests and forked children do, is written as well.
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <initializer_list>

extern "C" int __llvm_profile_write_file();
extern "C" void __llvm_profile_initialize_file();

namespace {

// Under the limits of what is tested nothing could be written.
void write_profile() {
  for (const auto resource : {RLIMIT_AS, RLIMIT_DATA}) {
    rlimit limit{};
    getrlimit(resource, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(resource, &limit);
  }
  __llvm_profile_initialize_file();  // an early constructor comes before the runtime's own
  __llvm_profile_write_file();
}

void write_and_die(int signal) {
  write_profile();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

[[gnu::constructor]]
void catch_abort() {
  std::signal(SIGABRT, write_and_die);
}

}  // namespace

// Stands before the C library's.
extern "C" void _exit(int status) {
  write_profile();
  for (;;) {
    syscall(SYS_exit_group, status);
  }
}
