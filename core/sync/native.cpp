#include "sync/native.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace strata {

constinit thread_local bool holds_every_lock = false;

namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

void futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) {
  const int saved = errno;  // malloc and free keep errno
  syscall(SYS_futex, &word, operation, value, nullptr, nullptr, 0);
  errno = saved;
}

}  // namespace

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) {
  futex(word, FUTEX_WAIT_PRIVATE, expected);
}

void futex_wake_one(std::atomic<std::uint32_t>& word) { futex(word, FUTEX_WAKE_PRIVATE, 1); }

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

void rest_briefly() {
  // 50 us and the kernel's slack of as much. The system call itself: nanosleep() may be cancelled.
  const int saved = errno;
  const timespec time{.tv_sec = 0, .tv_nsec = 50'000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &time, nullptr);
  errno = saved;
}

bool process_is_single_threaded() {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded != 0;
#else
  return false;
#endif
}

}  // namespace strata
