// In coverage builds alone: what a process has covered that ends by abort or _exit, as those of
// death tests and forked children do, is written as well.
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>

extern "C" int __llvm_profile_write_file();

namespace {

void write_and_die(int signal) {
  __llvm_profile_write_file();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

[[gnu::constructor]] void catch_abort() { std::signal(SIGABRT, write_and_die); }

}  // namespace

// Stands before the C library's.
extern "C" void _exit(int status) {
  __llvm_profile_write_file();
  for (;;) {
    syscall(SYS_exit_group, status);
  }
}
