// The driver itself: each of its oracles finds an allocator that lies about the one thing it looks
// at, and says so. (That a planted bug is found by something, the properties tell.)

#include <gtest/gtest.h>

#include <set>

#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

using Sound = Allocator<ScriptedHeap<Tiny>>;
using Operations = std::vector<Operation>;
constexpr const char* nothing = "nothing";

// What the driver says of the operations; with `to_the_end`, of giving everything back as well.
// Nothing is looked at from scratch unless an operation asks for it.
template <class Allocator>
std::string said_of(const Operations& operations, bool to_the_end = false) {
  Driver<Allocator> driver({}, {.validate_interval = 1000});
  try {
    for (const Operation& operation : operations) {
      driver.execute(operation);
    }
    if (to_the_end) {
      driver.finish();
    }
  } catch (const Violation& violation) {
    return violation.what();
  }
  return nothing;
}

constexpr std::uint64_t item = Tiny::item_bytes_min, block = Tiny::chunk_bytes;
Operation allocate(std::uint64_t size = item) { return {.kind = Kind::allocate, .size = size}; }
Operation deallocate(std::uint64_t k = 0) { return {.kind = Kind::deallocate, .k = k}; }
// Of the first live object, or in the second slot.
Operation bad(Bad bad) {
  return {.kind = Kind::bad_deallocate, .bad = bad, .k = bad == Bad::unused ? 1U : 0U};
}
Operation aligned(std::uint64_t size, std::uint8_t align_shift) {
  return {.kind = Kind::allocate_aligned, .align_shift = align_shift, .size = size};
}
Operation grow(std::uint64_t size) { return {.kind = Kind::resize, .size = size}; }
const Operation purge = {.kind = Kind::purge};
const Operation validate = {.kind = Kind::validate};

// Of one that tells the truth nothing is said, whatever of the below is asked of it.
TEST(DriverOracles, SayNothingOfASoundAllocator) {
  const Operations all = {allocate(),       allocate(),           aligned(item, Tiny::chunk_shift),
                          allocate(block),  allocate(block),      deallocate(2),
                          bad(Bad::twice),  bad(Bad::interior),   bad(Bad::foreign),
                          bad(Bad::unused), bad(Bad::late_twice), bad(Bad::late_interior),
                          grow(block),      deallocate(),         purge,
                          validate};
  EXPECT_EQ(said_of<Sound>(all, true), nothing);
}

// --- Bad frees ----------------------------------------------------------------------------------

// Takes what it did not hand out, or has back, without a word.
struct Forgiving : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    return *live.insert(Sound::allocate(cache, size)).first;
  }
  void deallocate(Cache* cache, Address address) {
    if (live.erase(address) > 0) {
      Sound::deallocate(cache, address);
    }
  }
  std::set<Address> live;
};

TEST(DriverOracles, EachKindOfBadFreeMustBeReported) {
  for (std::uint8_t kind = 0; kind < bads; ++kind) {
    const std::string said =
        said_of<Forgiving>({allocate(), allocate(), deallocate(), bad(static_cast<Bad>(kind))});
    EXPECT_TRUE(said.starts_with("bad free at") && said.ends_with(": 0 reports"))
        << int{kind} << ": " << said;
  }
}

struct Misnaming : Sound {
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    for (Report& report : heap().hooks.reports) {
      report.address += item;
    }
  }
};

TEST(DriverOracles, AReportNamesTheAddress) {
  EXPECT_TRUE(said_of<Misnaming>({allocate(), bad(Bad::interior)}).ends_with("of another address"));
}

struct Counting : Sound {
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    heap().books.control().live_bytes.fetch_add(1, std::memory_order_relaxed);
  }
};

TEST(DriverOracles, ABadFreeChangesNothing) {
  EXPECT_TRUE(said_of<Counting>({allocate(), bad(Bad::interior)}).ends_with("changed the books"));
}

struct Accusing : Sound {
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    heap().hooks.reports.push_back({.problem = Problem::double_free, .address = address});
  }
};

TEST(DriverOracles, AGoodFreeIsNotReported) {
  EXPECT_NE(said_of<Accusing>({allocate(), deallocate()}).find("reported as bad"),
            std::string::npos);
}

// --- Allocating ---------------------------------------------------------------------------------

struct Refusing : Sound {
  static Address allocate(Cache*, std::uint64_t) { return 0; }
};

TEST(DriverOracles, WhatThereIsRoomForIsServed) {
  EXPECT_TRUE(said_of<Refusing>({allocate()}).starts_with("spurious failure: 16 bytes"));
  EXPECT_TRUE(said_of<Refusing>({allocate(block)}).starts_with("spurious failure"));
  EXPECT_TRUE(said_of<Refusing>({allocate(Tiny::segment_bytes + 1)}).starts_with("spurious"));
}

struct RefusingOnceFreed : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    return refuses ? 0 : Sound::allocate(cache, size);
  }
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    refuses = true;
  }
  bool refuses = false;
};

// All is in use but for one item, in a slot of its like.
TEST(DriverOracles, RoomBesideWhatIsLiveCounts) {
  const Operation many = {.kind = Kind::repeat, .number = 1000};
  EXPECT_EQ(said_of<Sound>({many, allocate(), deallocate(), allocate()}), nothing);
  EXPECT_TRUE(said_of<RefusingOnceFreed>({many, allocate(), deallocate(), allocate()})
                  .starts_with("spurious failure"));
}

struct RefusingAtTheEnd : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    return size > Tiny::segment_bytes ? 0 : Sound::allocate(cache, size);
  }
};

TEST(DriverOracles, WhatIsAllFreeIsOneAgain) {
  EXPECT_TRUE(said_of<RefusingAtTheEnd>({allocate(), deallocate()}, true)
                  .starts_with("everything was freed, yet"));
}

struct Misaligning : Sound {
  Address allocate_aligned(Cache* cache, std::uint64_t size, std::uint64_t) {
    return allocate(cache, size);
  }
};

TEST(DriverOracles, AlignedIsAligned) {
  const Operation to_a_chunk = aligned(item, Tiny::chunk_shift);
  EXPECT_NE(said_of<Misaligning>({to_a_chunk, to_a_chunk}).find("is not aligned"),
            std::string::npos);
}

// Has no caches, and passes the lowest unit over.
struct NotLowest : Sound {
  static Cache* attach() { return dead(); }
  Address allocate(Cache* cache, std::uint64_t size) {
    const Address lowest = Sound::allocate(cache, size);
    const Address next = Sound::allocate(cache, size);
    deallocate(cache, lowest);
    return next;
  }
};

TEST(DriverOracles, TheLowestThatIsFreeIsServed) {
  EXPECT_NE(said_of<NotLowest>({allocate(), allocate()}).find("the lowest that is free lies at"),
            std::string::npos);
  EXPECT_NE(said_of<NotLowest>({allocate(block), allocate(block)}).find("the lowest that is free"),
            std::string::npos);
}

// Hands out what nobody has committed.
struct Uncommitted : Sound {
  Address allocate(Cache*, std::uint64_t) { return heap().base + Tiny::segment_bytes; }
  static std::uint64_t usable_bytes(Address) { return item; }
};

TEST(DriverOracles, WhatIsServedIsWritable) {
  EXPECT_TRUE(said_of<Uncommitted>({allocate()}).ends_with("not writable"));
}

// --- The books, the system, contents
// --------------------------------------------------------------

struct NeverValid : Sound {
  static bool validate(Quiet) { return false; }
};

TEST(DriverOracles, ValidateIsAsked) {
  EXPECT_EQ(said_of<NeverValid>({allocate(), validate}), "validate() says no");
}

struct Miscounting : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    const Address address = Sound::allocate(cache, size);
    ++heap().books.of_everything().chunk(0, 0).free_items;
    return address;
  }
};

TEST(DriverOracles, TheChunkThatAnOperationChangedIsLookedAt) {
  EXPECT_NE(said_of<Miscounting>({allocate()}).find("book-keeping is inconsistent"),
            std::string::npos);
}

// Frees in the books what it hands out.
struct HandingOutFree : Sound {
  Address allocate(Cache*, std::uint64_t size) {
    const Address address = Sound::allocate(dead(), size);
    Sound::deallocate(dead(), address);
    return address;
  }
  static std::uint64_t usable_bytes(Address) { return item; }
  static bool validate(Quiet) { return true; }
};

TEST(DriverOracles, WhatIsLiveIsNotFreeInTheBooks) {
  EXPECT_TRUE(said_of<HandingOutFree>({allocate(), validate}).starts_with("live item at 0x0"));
}

struct Hoarding : Sound {
  static void purge(Cache*) {}
};

TEST(DriverOracles, APurgeLeavesNothingDirty) {
  EXPECT_TRUE(said_of<Hoarding>({allocate(), deallocate(), purge}).starts_with("purged, yet page"));
}

struct Soiling : Sound {
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    heap().books.control().dirty_bytes.fetch_add(1ULL << 40, std::memory_order_relaxed);
  }
};

TEST(DriverOracles, DirtStaysWithinItsBound) {
  EXPECT_NE(said_of<Soiling>({allocate(), deallocate()}).find("free bytes are dirty, bound"),
            std::string::npos);
}

struct BlamingTheSystem : Sound {
  void deallocate(Cache* cache, Address address) {
    Sound::deallocate(cache, address);
    heap().books.control().refused_bytes.store(item, std::memory_order_relaxed);
  }
};

TEST(DriverOracles, WhatTheSystemDidNotRefuseIsNotCountedSo) {
  EXPECT_EQ(said_of<BlamingTheSystem>({allocate(), deallocate()}),
            "what was refused, the system refused");
}

// Every second page is a mapping of its own.
struct Scattering : Allocator<ScriptedHeap<Small>> {
  Address allocate(Cache*, std::uint64_t) {
    for (std::uint64_t at = 0; at < heap().heap_bytes; at += 2 * Small::page_bytes) {
      heap().memory.commit(Space::heap, at, Small::page_bytes);
    }
    return 0;
  }
};

TEST(DriverOracles, MappingsStayWithinTheirBound) {
  EXPECT_NE(said_of<Scattering>({allocate(~std::uint64_t{0})}).find(" mappings, bound "),
            std::string::npos);
}

struct Misadvising : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    heap().memory.advise(Space::heap, 0, Tiny::region_bytes, Pages::huge);
    return Sound::allocate(cache, size);
  }
};

TEST(DriverOracles, TheSystemWasToldWhatTheBooksSay) {
  EXPECT_TRUE(said_of<Misadvising>({allocate(), validate}).starts_with("the system was told"));
}

// A purge drops what is live, too; realloc in place leaves dirt where the contents were.
struct Dropping : Sound {
  Address allocate(Cache* cache, std::uint64_t size) {
    last = Sound::allocate(cache, size);
    return last;
  }
  void purge(Cache*) {
    const std::uint64_t page = (last - heap().base) & ~(Tiny::page_bytes - 1);
    heap().memory.decommit(Space::heap, page, Tiny::page_bytes);
  }
  Address last = 0;
};
struct Overwriting : Sound {
  bool resize_in_place(Address address, std::uint64_t) {
    const std::uint64_t offset = address - heap().base;
    heap().memory.contents().write(offset, offset + 1, ~Tag{0});
    return true;
  }
};

TEST(DriverOracles, ContentsStay) {
  EXPECT_NE(said_of<Dropping>({allocate(), purge}).find("lost its contents"), std::string::npos);
  EXPECT_NE(said_of<Overwriting>({allocate(), grow(item)}).find("lost its contents"),
            std::string::npos);
}

struct Holding : Sound {
  void purge(Cache* cache) {
    Sound::purge(cache);
    PlainMutex::held().add(rank::commit);
  }
};

TEST(DriverOracles, NoLockIsHeldAfterwards) {
  EXPECT_EQ(said_of<Holding>({purge}), "an operation returned with a lock held");
}

}  // namespace
}  // namespace strata::check
