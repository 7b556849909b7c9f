// The laws by example, on real memory.
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>

#include "props/unit/room.hpp"

namespace strata::check {
namespace {

template <class Plan>
class HeapTest : public testing::Test {};
using Plans = testing::Types<plan::Pow2, plan::Quarter>;
TYPED_TEST_SUITE(HeapTest, Plans);

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;

TYPED_TEST(HeapTest, EverySizeIsServedAlignedAndApart) {
  Room<TypeParam> room;
  std::vector<std::pair<std::byte*, std::uint64_t>> live;
  for (std::uint64_t size = 1; size <= 4 * gib; size += size / 3 + 1) {
    std::byte* const p = room.allocate(size);
    ASSERT_NE(p, nullptr) << size;
    ASSERT_GE(room->usable_bytes(reinterpret_cast<Address>(p)), size);
    p[0] = p[size - 1] = static_cast<std::byte>(live.size());
    live.emplace_back(p, size);
  }
  for (std::size_t i = 0; i < live.size(); ++i) {
    EXPECT_EQ(live[i].first[0], static_cast<std::byte>(i));
    EXPECT_EQ(live[i].first[live[i].second - 1], static_cast<std::byte>(i));
    room.deallocate(live[i].first);
  }
}

TYPED_TEST(HeapTest, EveryAlignmentUpToASegment) {
  Room<TypeParam> room;
  for (std::uint64_t align = 1; align <= gib; align *= 2) {
    for (const std::uint64_t size : {std::uint64_t{1}, align - 1, align, align + 1, 3 * align}) {
      const Address address = room->allocate_aligned(room.cache(), size, align);
      ASSERT_NE(address, 0U) << size << " at " << align;
      EXPECT_EQ(address % align, 0U);
      EXPECT_GE(room->usable_bytes(address), size);
      room->deallocate(room.cache(), address);
    }
  }
  EXPECT_EQ(room->allocate_aligned(room.cache(), 1, 2 * gib), 0U);
}

TYPED_TEST(HeapTest, RunsAreTakenAndFreedInAnyOrderAndNeighboursJoin) {
  Room<TypeParam> room(8);
  std::vector<std::byte*> runs;
  for (int i = 0; i < 4; ++i) {
    runs.push_back(room.allocate(2 * gib));
    ASSERT_NE(runs.back(), nullptr);
  }
  EXPECT_EQ(room.allocate(2 * gib), nullptr) << "the space is used up";
  room.deallocate(runs[2]);
  room.deallocate(runs[1]);
  std::byte* const joined = room.allocate(4 * gib);
  EXPECT_NE(joined, nullptr) << "two neighbouring runs of two segments are one of four";
  room.deallocate(joined);
  room.deallocate(runs[0]);
  room.deallocate(runs[3]);
  std::byte* const all = room.allocate(8 * gib - 1);
  EXPECT_NE(all, nullptr);
  room.deallocate(all);
}

TYPED_TEST(HeapTest, EmptyRegionsServeOtherClassesAndGroups) {
  Room<TypeParam> room(1);  // 32 slots
  for (const std::uint64_t size : {std::uint64_t{64}, 8 * kib, 64 * kib, mib, 900 * mib}) {
    std::vector<std::byte*> live;
    while (std::byte* const p = room.allocate(size)) {
      live.push_back(p);
      if (live.size() * size > 960 * mib) {
        break;
      }
    }
    EXPECT_GT(live.size() * size, 800 * mib) << "the whole space serves " << size;
    for (std::byte* const p : live) {
      room.deallocate(p);
    }
  }
}

TYPED_TEST(HeapTest, KnownZeroIsZeroAndFreshMemoryIsKnown) {
  Room<TypeParam> room;
  const Allocation fresh = room->allocate_known(room.cache(), 3 * mib);
  EXPECT_TRUE(fresh.known_zero);
  std::memset(reinterpret_cast<void*>(fresh.address), 0xFF, 3 * mib);
  room->deallocate(room.cache(), fresh.address);
  for (int i = 0; i < 3; ++i) {
    const Allocation again = room->allocate_known(room.cache(), 3 * mib);
    if (again.known_zero) {
      const auto* const bytes = reinterpret_cast<const unsigned char*>(again.address);
      EXPECT_EQ(bytes[0] | bytes[mib] | bytes[3 * mib - 1], 0);
    }
    std::memset(reinterpret_cast<void*>(again.address), 0xFF, 3 * mib);
    room->deallocate(room.cache(), again.address);
  }
  std::byte* const small = room.allocate(100 * kib);  // below the size that goes back at once
  std::memset(small, 0xFF, 100 * kib);
  room.deallocate(small);
  EXPECT_FALSE(room->allocate_known(room.cache(), 100 * kib).known_zero);
  room.deallocate(small);  // the same block again: lowest first
  const Allocation run = room->allocate_known(room.cache(), 2 * gib);
  EXPECT_TRUE(run.known_zero);
  room->deallocate(room.cache(), run.address);
}

TYPED_TEST(HeapTest, BadPointersAreReportedAndChangeNothing) {
  Room<TypeParam> room;
  auto* const dead = room->dead();  // items go to the books at once
  const auto report_of = [&](Address address) {
    room->deallocate(dead, address);
    const std::vector<Problem> problems = room.take_problems();
    EXPECT_EQ(problems.size(), 1U);
    EXPECT_TRUE(room->validate(Quiet::yes));
    return problems.empty() ? Problem::none : problems[0];
  };
  const Address item = room->allocate(dead, 100);
  const Address block = room->allocate(dead, 5 * mib);
  const Address run = room->allocate(dead, 3 * gib);
  int on_stack = 0;
  EXPECT_EQ(report_of(reinterpret_cast<Address>(&on_stack)), Problem::foreign_pointer);
  EXPECT_EQ(report_of(item + 8), Problem::interior_pointer);
  EXPECT_EQ(report_of(block + 64 * kib), Problem::interior_pointer);
  EXPECT_EQ(report_of(run + gib), Problem::interior_pointer);
  EXPECT_EQ(report_of(run - 32 * mib), Problem::unused_region);
  for (const Address address : {item, block}) {
    room->deallocate(dead, address);
    EXPECT_EQ(report_of(address), Problem::double_free);
  }
  room->deallocate(dead, run);
  EXPECT_EQ(report_of(run), Problem::unused_region) << "its segments went back";
}

TYPED_TEST(HeapTest, ADoubleFreeInAMagazineIsReportedWhenItIsFlushed) {
  Room<TypeParam> room;
  std::byte* const p = room.allocate(64);
  room.deallocate(p);
  room.deallocate(p);
  EXPECT_TRUE(room.take_problems().empty());
  room->purge(room.cache());
  EXPECT_EQ(room.take_problems(), std::vector<Problem>{Problem::double_free});
}

TYPED_TEST(HeapTest, ExhaustionGivesBackBeforeItIsReported) {
  Room<TypeParam> room(1);
  // Fill the space with small items through the magazines, free all, and ask for all of it at once:
  // what magazines, kept chunks and kept regions hold must not stand in the way.
  std::vector<std::byte*> live;
  while (std::byte* const p = room.allocate(16 * kib)) {
    live.push_back(p);
  }
  EXPECT_GT(live.size() * 16 * kib, 990 * mib);
  for (std::byte* const p : live) {
    room.deallocate(p);
  }
  std::byte* const whole = room.allocate(gib);
  EXPECT_NE(whole, nullptr);
  room.deallocate(whole);
}

// The kernel's count of the mappings that lie in [begin, begin + bytes), whole or in part.
std::uint64_t mappings_in(const std::byte* begin, std::uint64_t bytes) {
  std::ifstream maps("/proc/self/maps");
  EXPECT_TRUE(maps.is_open());
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  std::uint64_t count = 0;
  for (std::string line; std::getline(maps, line);) {
    const std::uint64_t from = std::stoull(line, nullptr, 16);
    const std::uint64_t to = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    count += from < first + bytes && to > first ? 1 : 0;
  }
  return count;
}

TYPED_TEST(HeapTest, MappingsAreNoMoreThanTheBooksSay) {
  Room<TypeParam> room(4);
  std::vector<std::byte*> live;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    std::byte* const p = room.allocate((i % 40 + 1) * 50 * kib);
    if (p != nullptr) {
      p[0] = std::byte{1};
      live.push_back(p);
    }
  }
  const strata_bounds bounds = room->bounds();
  std::printf("mappings now %llu, at most %llu\n", static_cast<unsigned long long>(bounds.mappings),
              static_cast<unsigned long long>(bounds.mappings_max));
  const auto& memory = room->heap().memory;
  const auto& layout = room->heap().books.layout();
  const std::uint64_t counted = mappings_in(memory.base(Space::heap), layout.heap_bytes()) +
                                mappings_in(memory.base(Space::books), layout.books_bytes()) +
                                mappings_in(memory.base(Space::item_map), layout.item_maps_bytes());
  EXPECT_LE(counted, bounds.mappings);
  EXPECT_LE(bounds.mappings, bounds.mappings_max);
  EXPECT_GT(counted, 16U);
  for (std::byte* const p : live) {
    room.deallocate(p);
  }
}

// Freed blocks of the smaller classes wait for the next request, lowest class to largest kept one.
TEST(BlockMagazines, GiveBackWhatWasFreedLast) {
  using Blocks = BlockMagazines<plan::Quarter>;
  Room<plan::Quarter> room;
  const std::uint64_t live = room->bounds().live_bytes;
  std::uint64_t held = 0;
  for (plan::Class cls = plan::Quarter::first_block; Blocks::has(cls); ++cls) {
    const std::uint64_t bytes = plan::Quarter::unit_bytes(cls);
    std::vector<std::byte*> blocks;
    for (std::uint32_t i = 0; i <= Blocks::capacity(cls); ++i) {
      blocks.push_back(room.allocate(bytes));
    }
    for (std::byte* const block : blocks) {
      room.deallocate(block);
    }
    held += Blocks::capacity(cls) * bytes;
    EXPECT_EQ(room->bounds().live_bytes, live + held) << "one more than fits went to the bin";
    EXPECT_EQ(room.cache()->blocks.count(cls), Blocks::capacity(cls));
    EXPECT_EQ(room.allocate(bytes), blocks[Blocks::capacity(cls) - 1]);
    room.deallocate(blocks[Blocks::capacity(cls) - 1]);
  }
  EXPECT_EQ(held, Blocks::held_bytes_max());
  EXPECT_FALSE(Blocks::has(plan::Quarter::class_for(mib)));
  EXPECT_TRUE(room->validate(Quiet::yes));
  room->purge(room.cache());
  EXPECT_EQ(room->bounds().live_bytes, live);
}

TEST(BlockMagazines, ReportBadFreesAtOnce) {
  Room<plan::Quarter> room;
  std::byte* const block = room.allocate(100 * kib);
  std::byte* const other = room.allocate(100 * kib);
  room.deallocate(block + 4096);
  EXPECT_EQ(room.take_problems(), std::vector{Problem::interior_pointer});
  room.deallocate(block);
  room.deallocate(block);
  EXPECT_EQ(room.take_problems(), std::vector{Problem::double_free});
  room->deallocate(room->dead(), reinterpret_cast<Address>(other));
  room.deallocate(other);
  EXPECT_EQ(room.take_problems(), std::vector{Problem::double_free}) << "free in the bin";
  EXPECT_EQ(room.allocate(100 * kib), block);
  EXPECT_NE(room.allocate(100 * kib), block);
  EXPECT_TRUE(room->validate(Quiet::yes));
}

TEST(BlockMagazines, AThreadWithoutACacheKeepsNothing) {
  Room<plan::Quarter> room;
  const std::uint64_t live = room->bounds().live_bytes;
  const Address block = room->allocate(room->dead(), 100 * kib);
  room->deallocate(room->dead(), block);
  EXPECT_EQ(room->bounds().live_bytes, live);
}

bool is_resident(void* address) {
  const auto page = reinterpret_cast<Address>(address) & ~Address{4095};
  unsigned char resident = 0;
  EXPECT_EQ(mincore(reinterpret_cast<void*>(page), 1, &resident), 0);
  return (resident & 1) != 0;
}

// A thread that ends leaves its cache to the next with its pages, if few threads are alive.
TEST(Caches, OfTheFirstThreadsStayInMemoryUntilAPurge) {
  constexpr std::size_t threads = 20;
  Room<plan::Quarter> room;  // whose own cache is the first
  std::vector<Room<plan::Quarter>::Cache*> caches;
  for (std::size_t i = 0; i < threads; ++i) {
    caches.push_back(room->attach());
    room->deallocate(caches[i], room->allocate(caches[i], 16));
    EXPECT_TRUE(is_resident(caches[i]));
  }
  for (auto* const cache : caches) {
    room->detach(cache);
  }
  EXPECT_EQ(std::ranges::count_if(caches, is_resident), 15);
  EXPECT_EQ(room->attach(), caches[0]) << "the lowest first";
  room->purge(room.cache());
  EXPECT_EQ(std::ranges::count_if(caches, is_resident), 1) << "only the one in use";
  room->detach(caches[0]);
}

TEST(Bounds, OfTheStandardSpace) {
  const Layout<plan::Pow2, NativeSync<false>> layout(256);
  std::printf(
      "mappings at most %llu; one thread's magazines hold at most %llu (Pow2), %llu "
      "(Quarter) bytes\n",
      static_cast<unsigned long long>(layout.mappings_max()),
      static_cast<unsigned long long>(Magazines<plan::Pow2>::thread_bytes_max()),
      static_cast<unsigned long long>(Magazines<plan::Quarter>::thread_bytes_max()));
  EXPECT_LT(layout.mappings_max(), 65530U) << "the kernel's default vm.max_map_count";
  for (plan::Class cls = 1; cls <= plan::Pow2::item_classes; ++cls) {
    EXPECT_LE(Magazines<plan::Pow2>::capacity(cls) * plan::Pow2::unit_bytes(cls), 64 * kib);
  }
}

// Runs `body` in a child under a limit; its exit code.
template <class Body>
int under_limit(decltype(RLIMIT_AS) resource, rlim_t bytes, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    rlimit limit{};
    getrlimit(resource, &limit);
    limit.rlim_cur = bytes;
    setrlimit(resource, &limit);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// The rungs: each reserves at most half of the limit, and the larger of what it serves is printed.
TEST(Ladder, ReservesAtMostHalfOfTheLimitAndServes) {
  struct Rung {
    std::uint64_t limit, heap_bytes, largest;
  };
  for (const auto& [limit, heap_bytes, most] :
       {Rung{4 * gib, 2016 * mib, gib}, Rung{gib, 480 * mib, 256 * mib},
        Rung{512 * mib, 224 * mib, 128 * mib}, Rung{160 * mib, 64 * mib, 64 * mib}}) {
    const int code = under_limit(RLIMIT_AS, limit, [&] {
      static RealAllocator<plan::Pow2> allocator;
      if (!allocator.open(256)) {
        return 1;
      }
      auto* const cache = allocator.attach();
      std::uint64_t largest = 0;
      for (std::uint64_t size = 16; size < limit; size *= 2) {
        const Address address = allocator.allocate(cache, size);
        largest = address != 0 ? size : largest;
        allocator.deallocate(cache, address);
      }
      std::printf("RLIMIT_AS %5llu MiB: heap of %4llu MiB, largest of the powers of two %llu KiB\n",
                  static_cast<unsigned long long>(limit / mib),
                  static_cast<unsigned long long>(allocator.bounds().heap_bytes / mib),
                  static_cast<unsigned long long>(largest / kib));
      std::fflush(stdout);
      const bool as_stated = allocator.bounds().heap_bytes == heap_bytes && largest == most;
      return as_stated && allocator.validate(Quiet::yes) ? 0 : 2;
    });
    EXPECT_EQ(code, 0) << limit << ": README has this row";
  }
}

TEST(Ladder, BelowTheLowestRungOpenFailsAndNothingIsKept) {
  EXPECT_EQ(under_limit(RLIMIT_AS, 48 * mib,
                        [] {
                          static RealAllocator<plan::Pow2> allocator;
                          return allocator.open(256) ? 1 : 0;
                        }),
            0);
}

TEST(Commit, ARefusalFailsTheRequestAndLeavesTheRest) {
  EXPECT_EQ(under_limit(RLIMIT_DATA, 64 * mib,
                        [] {
                          static RealAllocator<plan::Pow2> allocator;
                          if (!allocator.open(256)) {
                            return 1;
                          }
                          auto* const cache = allocator.attach();
                          const Address small = allocator.allocate(cache, 100);
                          const Address refused = allocator.allocate(cache, 512 * mib);
                          const Address after = allocator.allocate(cache, mib);
                          const bool sound = allocator.validate(Quiet::yes);
                          return small != 0 && refused == 0 && after != 0 && sound ? 0 : 2;
                        }),
            0);
}

TEST(Segments, AnyCountFromOneToTheMost) {
  for (const std::uint32_t segments : {1U, 2U, 63U, 64U, 256U, 1024U, 32768U}) {
    Room<plan::Pow2> room(segments);
    std::byte* const p = room.allocate(1000);
    std::byte* const block = room.allocate(20 * mib);
    ASSERT_NE(p, nullptr) << segments;
    ASSERT_NE(block, nullptr) << segments;
    p[0] = block[0] = std::byte{1};
    room.deallocate(p);
    room.deallocate(block);
  }
}

}  // namespace
}  // namespace strata::check
