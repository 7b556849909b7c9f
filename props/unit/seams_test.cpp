// The shipped seams by themselves: Linux's memory, the futex mutex, guards, and the mutex that
// checks the order of locks.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/single_threaded.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "memory/linux.hpp"
#include "sync/native.hpp"
#include "sync/ordered.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

// Comes first: here there is one thread, unless a sanitizer has one of its own.
TEST(FutexMutex, IsElidedWhileThereIsOneThread) {
  const bool one_thread = __libc_single_threaded != 0;
  EXPECT_EQ(process_is_single_threaded(), one_thread);
  NativeSync<true>::Mutex eliding;
  bool locked = !one_thread;
  for (int i = 0; i < (one_thread ? 2 : 0); ++i) {
    EXPECT_FALSE(eliding.lock(1)) << "nothing is held";
    EXPECT_TRUE(eliding.try_lock(1, locked));
    EXPECT_FALSE(locked);
    locked = true;
  }
  NativeSync<false>::Mutex always;
  EXPECT_TRUE(always.lock(1));
  EXPECT_FALSE(always.try_lock(1, locked));
  always.unlock(1);
  EXPECT_TRUE(always.try_lock(1, locked));
  EXPECT_TRUE(locked);
  always.unlock(1);
  std::thread([&] {
    EXPECT_FALSE(process_is_single_threaded());
    EXPECT_TRUE(eliding.lock(1));
    EXPECT_FALSE(eliding.try_lock(1, locked));
    eliding.unlock(1);
  }).join();
}

TEST(FutexMutex, ExcludesAndWakesEveryWaiter) {
  alarm(20);  // a waiter that nobody wakes ends the test
  NativeSync<false>::Mutex mutex;
  std::uint64_t plain = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 3000; ++round) {
        mutex.lock(1);
        const std::uint64_t before = plain;
        if (round % 1000 == 0) {  // longer than the others spin
          std::this_thread::sleep_for(std::chrono::milliseconds(3));
        }
        plain = before + 1;
        mutex.unlock(1);
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(plain, 12'000U);
  bool locked = false;
  EXPECT_TRUE(mutex.try_lock(1, locked)) << "nobody holds it";
  alarm(0);
}

TEST(Futex, KeepsErrnoAndSleepsOnlyOnTheExpectedValue) {
  std::atomic<std::uint32_t> word{1};
  errno = 77;
  futex_wait(word, 2);  // at once: the word has changed
  EXPECT_EQ(errno, 77);
  futex_wake_one(word);
  EXPECT_EQ(errno, 77);
}

TEST(Futex, SleepsUntilItIsWoken) {
  std::atomic<std::uint32_t> word{1};
  std::atomic<bool> woken{false};
  std::thread waker([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    woken = true;
    word = 0;  // whoever comes too late to be woken does not sleep
    futex_wake_one(word);
  });
  futex_wait(word, 1);
  EXPECT_TRUE(woken);
  waker.join();
}

// --- Guards --------------------------------------------------------------------------------------

struct CountingMutex {
  bool lock(Rank rank) {
    ++locks;
    last = rank;
    return !elided;
  }
  bool try_lock(Rank rank, bool& locked) {
    locked = !busy && lock(rank);
    return !busy;
  }
  void unlock(Rank rank) {
    EXPECT_EQ(rank, last);
    ++unlocks;
  }
  bool elided = false, busy = false;
  int locks = 0, unlocks = 0;
  Rank last = 0;
};

// Guards are moved about, which the compiler does not follow.
[[clang::no_thread_safety_analysis]]
void unlocks_once_what_it_locked() {
  CountingMutex a, b;
  {
    Guard<CountingMutex> guard(a, 5);
    EXPECT_TRUE(guard);
    EXPECT_EQ(a.locks, 1);
    Guard<CountingMutex> moved(std::move(guard));
    EXPECT_EQ(a.unlocks, 0);
    moved = Guard<CountingMutex>(b, 6);
    EXPECT_EQ(a.unlocks, 1) << "what it held is let go first";
    EXPECT_EQ(b.unlocks, 0);
    moved.release();
    EXPECT_EQ(b.unlocks, 1);
    moved.retake();
    EXPECT_EQ(b.locks, 2);
  }
  EXPECT_EQ(a.unlocks, 1);
  EXPECT_EQ(b.unlocks, 2);
  {
    const Guard<CountingMutex> none;
  }
}
TEST(Guard, UnlocksOnceWhatItLocked) { unlocks_once_what_it_locked(); }

[[clang::no_thread_safety_analysis]]
void remembers_that_it_was_elided() {
  CountingMutex mutex;
  mutex.elided = true;
  {
    Guard<CountingMutex> guard(mutex, 5);
    EXPECT_TRUE(guard);
    mutex.elided = false;  // a second thread starts
    Guard<CountingMutex> moved;
    moved = std::move(guard);
  }
  EXPECT_EQ(mutex.unlocks, 0);
}
TEST(Guard, RemembersThatItWasElided) { remembers_that_it_was_elided(); }

TEST(Guard, OfABusyLockIsEmpty) {
  CountingMutex mutex;
  mutex.busy = true;
  EXPECT_FALSE(Guard<CountingMutex>::try_lock(mutex, 5));
  EXPECT_EQ(mutex.unlocks, 0);
  mutex.busy = false;
  EXPECT_TRUE(Guard<CountingMutex>::try_lock(mutex, 5));
  EXPECT_EQ(mutex.unlocks, 1);
}

// --- The order of locks --------------------------------------------------------------------------

struct Remembering {
  static void out_of_order(Rank taken, Rank held) { seen.emplace_back(taken, held); }
  static inline std::vector<std::pair<Rank, Rank>> seen;
};
using Violations = std::vector<std::pair<Rank, Rank>>;

TEST(OrderedMutex, SaysWhatIsOutOfOrder) {
  OrderedMutex<Remembering> a, b, c;
  Remembering::seen.clear();
  EXPECT_TRUE(a.lock(3));
  EXPECT_TRUE(b.lock(5));
  EXPECT_TRUE(Remembering::seen.empty());
  EXPECT_TRUE(c.lock(4));
  EXPECT_EQ(Remembering::seen, (Violations{{4, 5}}));
  c.unlock(4);
  EXPECT_TRUE(c.lock(5));
  EXPECT_EQ(Remembering::seen, (Violations{{4, 5}, {5, 5}})) << "nor two of one rank";
  c.unlock(5);
  a.unlock(3);  // in any order
  EXPECT_TRUE(c.lock(6));
  b.unlock(5);
  c.unlock(6);
  EXPECT_TRUE(a.lock(1));
  a.unlock(1);
  EXPECT_EQ(Remembering::seen.size(), 2U);
  bool locked = false;
  EXPECT_TRUE(b.lock(7));
  EXPECT_FALSE(b.try_lock(7, locked));
  EXPECT_EQ(Remembering::seen.size(), 2U) << "what was not taken is not held";
  EXPECT_TRUE(a.try_lock(6, locked));
  EXPECT_EQ(Remembering::seen.back(), (std::pair<Rank, Rank>{6, 7}));
  a.unlock(6);
  b.unlock(7);
  b.lock(8);
  b.unlock(9);
  EXPECT_EQ(Remembering::seen.back(), (std::pair<Rank, Rank>{9, 0})) << "it was not held at all";
}

// What a handler of fork allocates while its thread has every lock.
TEST(OrderedMutex, OfAThreadThatHasEveryLockIsNotTaken) {
  OrderedMutex<Remembering> mutex;
  Remembering::seen.clear();
  mutex.lock(9);
  holds_every_lock = true;
  bool locked = true;
  EXPECT_FALSE(mutex.lock(2));
  EXPECT_TRUE(mutex.try_lock(9, locked));
  EXPECT_FALSE(locked);
  holds_every_lock = false;
  mutex.unlock(9);
  EXPECT_TRUE(Remembering::seen.empty());
}

TEST(OrderedMutex, OfOtherThreadsIsTheirs) {
  OrderedMutex<Remembering> high, low;
  Remembering::seen.clear();
  high.lock(9);
  std::thread([&] {
    low.lock(2);
    low.unlock(2);
  }).join();
  high.unlock(9);
  EXPECT_TRUE(Remembering::seen.empty());
}

// --- Linux's memory ------------------------------------------------------------------------------

// Asks the system: a page that cannot be read cannot be written out.
bool is_readable(const void* page) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const bool readable = write(ends[1], page, 1) == 1;
  close(ends[0]);
  close(ends[1]);
  return readable;
}
bool is_resident(std::byte* page) {
  unsigned char state = 0;
  EXPECT_EQ(mincore(page, 4096, &state), 0);
  return (state & 1) != 0;
}
// The flags that the system keeps of the mapping of an address.
std::string flags_of(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) {
      const auto at = reinterpret_cast<unsigned long>(address);
      inside = at >= begin && at < end;
    } else if (inside && line.starts_with("VmFlags:")) {
      return line + " ";
    }
  }
  return {};
}

constexpr SpaceSizes some_sizes = {64 * kib, 8 * mib, 128 * kib, 256 * kib, 64 * kib};
constexpr std::array spaces = {Space::control, Space::heap, Space::books, Space::item_map,
                               Space::caches};

class LinuxMemory : public testing::Test {
 protected:
  LinuxMemory() { EXPECT_TRUE(memory.reserve(some_sizes, gib)); }
  ~LinuxMemory() override { memory.release(); }
  // The first byte of a space that is present.
  std::byte* begin(Space space) {
    return memory.base(space) + (space == Space::heap ? memory.present().begin : 0);
  }
  std::uint64_t offset_in(Space space, const std::byte* address) {
    return static_cast<std::uint64_t>(address - memory.base(space));
  }
  bool commit(Space space, std::uint64_t offset, std::uint64_t size) {
    return memory.commit(space, offset_in(space, begin(space)) + offset, size);
  }
  Linux memory;
};

TEST_F(LinuxMemory, IsReservedWholeAndAlignedAndGoesBack) {
  EXPECT_EQ(reinterpret_cast<std::uint64_t>(memory.base(Space::heap)) % gib, 0U);
  const Range present = memory.present();
  EXPECT_EQ(present.end - present.begin, 8 * mib);
  EXPECT_LT(present.begin, gib);
  std::vector<std::byte*> begins;
  for (const Space space : spaces) {
    const std::uint64_t size = some_sizes[static_cast<std::size_t>(space)];
    EXPECT_FALSE(is_readable(begin(space)));
    EXPECT_TRUE(commit(space, 0, size));
    begin(space)[0] = begin(space)[size - 1] = std::byte{1};
    begins.push_back(begin(space));
  }
  memory.release();
  for (std::byte* const page : begins) {
    EXPECT_FALSE(is_readable(page));
  }
  for (const Space space : spaces) {
    EXPECT_EQ(memory.base(space), nullptr);
  }
  EXPECT_EQ(memory.present().end, 0U);
}

// Each rung of the ladder releases what it got. What has come to lie there since is not its own.
TEST_F(LinuxMemory, IsReleasedOnce) {
  std::byte* const place = begin(Space::books);
  memory.release();
  void* const mine = mmap(place, 4096, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  ASSERT_EQ(mine, place);
  memory.release();
  EXPECT_TRUE(is_readable(mine));
  munmap(mine, 4096);
}

TEST_F(LinuxMemory, LiesAnywhereIfNoAlignedPlaceIsFree) {
  Linux other;
  const std::uint64_t align = std::uint64_t{1} << 47;  // 0 is the one multiple
  ASSERT_TRUE(other.reserve(some_sizes, align));
  EXPECT_EQ(other.base(Space::heap), nullptr);
  EXPECT_GT(other.present().begin, 0U);
  EXPECT_EQ(other.present().end - other.present().begin, 8 * mib);
  EXPECT_TRUE(other.commit(Space::heap, other.present().begin, 8 * mib));
  reinterpret_cast<std::byte*>(other.present().begin)[8 * mib - 1] = std::byte{1};
  other.release();
}

TEST_F(LinuxMemory, CommitsAndDropsWhatItIsTold) {
  for (const Space space : spaces) {
    std::byte* const page = begin(space) + 4096;
    ASSERT_TRUE(commit(space, 4096, 8192));
    EXPECT_TRUE(is_readable(page));
    EXPECT_FALSE(is_readable(page - 1));
    EXPECT_FALSE(is_readable(page + 8192));
    page[0] = page[4096] = std::byte{7};
    ASSERT_TRUE(commit(space, 4096, 8192));
    EXPECT_EQ(page[0], std::byte{7}) << "a second commit is harmless";
    ASSERT_TRUE(memory.decommit(space, offset_in(space, page), 4096));
    EXPECT_FALSE(is_resident(page));
    EXPECT_TRUE(is_resident(page + 4096));
    EXPECT_EQ(page[0], std::byte{0});
    EXPECT_EQ(page[4096], std::byte{7});
    page[0] = std::byte{1};  // and it can be written again
  }
}

TEST_F(LinuxMemory, SaysWhatIsRefusedAndKeepsErrno) {
  errno = 77;
  EXPECT_FALSE(memory.commit(Space::control, 123, 4096)) << "not a page";
  EXPECT_EQ(errno, 77);
  EXPECT_FALSE(memory.decommit(Space::control, 123, 4096));
  EXPECT_EQ(errno, 77);
  memory.advise(Space::heap, 123, 4096, Pages::huge);
  EXPECT_EQ(errno, 77);
  Linux other;
  SpaceSizes sizes = some_sizes;
  sizes[static_cast<std::size_t>(Space::item_map)] = std::uint64_t{1} << 60;
  EXPECT_FALSE(other.reserve(sizes, gib));
  EXPECT_EQ(errno, 77);
  for (const Space space : spaces) {
    EXPECT_EQ(other.base(space), nullptr) << "all spaces or none";
  }
  sizes = some_sizes;
  sizes[static_cast<std::size_t>(Space::heap)] = std::uint64_t{1} << 60;
  EXPECT_FALSE(other.reserve(sizes, gib));
}

TEST_F(LinuxMemory, AdvisesOnPages) {
  std::byte* const heap = begin(Space::heap);
  const std::uint64_t offset = offset_in(Space::heap, heap);
  ASSERT_TRUE(memory.commit(Space::heap, offset, 8 * mib));
  memory.advise(Space::heap, offset, 4 * mib, Pages::huge);
  EXPECT_NE(flags_of(heap).find(" hg "), std::string::npos) << flags_of(heap);
  EXPECT_EQ(flags_of(heap + 4 * mib).find(" hg "), std::string::npos);
  memory.advise(Space::heap, offset, 4 * mib, Pages::small);
  EXPECT_NE(flags_of(heap).find(" nh "), std::string::npos) << flags_of(heap);
}

TEST(LinuxClock, IsTheSystemsInMilliseconds) {
  const Linux memory;
  const auto real = [] {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                          std::chrono::steady_clock::now().time_since_epoch())
                                          .count());
  };
  const std::uint64_t before = real(), now = memory.now_ms(), after = real();
  EXPECT_GE(now + 20, before) << "coarse: a tick late at most";
  EXPECT_LE(now, after);
}

TEST(LinuxLimit, IsHalfOfWhatTheProcessMayHave) {
  rlimit limit{};
  ASSERT_EQ(getrlimit(RLIMIT_AS, &limit), 0);
  ASSERT_EQ(limit.rlim_cur, RLIM_INFINITY);
  EXPECT_EQ(Linux::address_space_max(), ~std::uint64_t{0});
  const pid_t child = fork();
  if (child == 0) {
    limit.rlim_cur = std::uint64_t{1} << 40;
    setrlimit(RLIMIT_AS, &limit);
    _exit(Linux::address_space_max() == std::uint64_t{1} << 39 ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace strata::check
