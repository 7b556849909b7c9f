// Linux's memory by itself, as the system shows it.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "memory/linux.hpp"

namespace strata::check {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

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

SpaceSizes sizes_with(Space space, std::uint64_t bytes) {
  SpaceSizes sizes;
  sizes.fill(mib);
  sizes[static_cast<std::size_t>(space)] = bytes;
  return sizes;
}

TEST(LinuxReserve, ReservesAllSpacesOrNone) {
  for (const Space refused : {Space::control, Space::heap, Space::caches}) {
    Linux memory;
    EXPECT_FALSE(memory.reserve(sizes_with(refused, std::uint64_t{1} << 60), mib));
    for (std::size_t i = 0; i < space_count; ++i) {
      EXPECT_EQ(memory.base(static_cast<Space>(i)), nullptr);
    }
    EXPECT_EQ(memory.present().end, 0U);
  }
}

TEST(LinuxReserve, ABaseIsAlignedAndWhatLiesBeforeTheMappingIsAbsent) {
  for (const std::uint64_t align : {4 * kib, mib, gib}) {
    Linux memory;
    ASSERT_TRUE(memory.reserve(sizes_with(Space::heap, 8 * mib), align));
    EXPECT_EQ(reinterpret_cast<std::uint64_t>(memory.base(Space::heap)) % align, 0U);
    EXPECT_EQ(memory.present().end - memory.present().begin, 8 * mib);
    EXPECT_LT(memory.present().begin, align);
    ASSERT_TRUE(memory.commit(Space::heap, memory.present().begin, 4 * kib));
    memory.base(Space::heap)[memory.present().begin] = std::byte{1};
    memory.release();
  }
}

TEST(LinuxReserve, RefusesWhatIsNotReserved) {
  Linux memory;
  ASSERT_TRUE(memory.reserve(sizes_with(Space::heap, mib), 4 * kib));
  constexpr std::uint64_t beyond = std::uint64_t{1} << 47;  // any address of a program
  EXPECT_FALSE(memory.commit(Space::books, beyond, 4 * kib));
  EXPECT_FALSE(memory.decommit(Space::books, beyond, 4 * kib));
  memory.release();
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
