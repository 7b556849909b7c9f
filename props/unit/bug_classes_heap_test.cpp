// Classes of bugs that real allocators have had, as programs of the operation format on the
// scripted heap: the driver looks at contents, alignment, books and system calls after each
// operation.
//
// What each class is, and which test stands for those that are elsewhere:
// props/mutants/plants.toml, whose planted versions each test here must fail on.
#include <gtest/gtest.h>

#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

template <class Plan>
void expect_sound(const Program& program) {
  EXPECT_NO_THROW(run_program<Plan>(program)) << to_text(program);
}

// An aligned request of just its alignment is misplaced: a run of slots that lies where there was
// room, not where it is aligned.
TEST(BugClassHeap, AnAlignedRunOfItsOwnSizeIsAligned) {
  expect_sound<Small>({.setup = {.absent_tail = true},  // no segment is whole any more
                       .operations = {{.kind = Kind::allocate, .size = 16},
                                      {.kind = Kind::allocate_aligned,
                                       .align_shift = Small::region_shift + 1,
                                       .size = 2 * Small::region_bytes}}});
}

// The class is wrong under a second alignment: where 32 B items have run out, a 48 B item is large
// enough, but not aligned.
TEST(BugClassHeap, AClassThatIsLargerButNotAlignedDoesNotServe) {
  expect_sound<SmallQuarter>(
      {.operations = {{.kind = Kind::detach},
                      {.kind = Kind::allocate, .size = 48},
                      {.kind = Kind::repeat, .number = 100},
                      {.kind = Kind::allocate, .size = SmallQuarter::region_bytes},
                      {.kind = Kind::repeat, .number = 8},
                      {.kind = Kind::allocate_aligned, .align_shift = 5, .size = 32}}});
}

// Uncommitted memory is handed out: every commit of a longer prefix is refused, then some are.
TEST(BugClassHeap, WhatCouldNotBeCommittedIsNotHandedOut) {
  for (const std::uint64_t pattern : {0b1U, 0b11U, 0b101U, 0b1000U, 0b1010U, 0b11000U}) {
    expect_sound<Small>({.operations = {{.kind = Kind::allocate, .size = 256},
                                        {.kind = Kind::fail_memory, .number = pattern},
                                        {.kind = Kind::repeat, .number = 40},
                                        {.kind = Kind::allocate, .size = 128}}});
  }
}

// Live memory is purged: chunks in which some items of a page are used and others are not.
TEST(BugClassHeap, APurgeLeavesPagesWithLiveItems) {
  Program program = {.operations = {{.kind = Kind::detach},
                                    {.kind = Kind::repeat, .number = 31},
                                    {.kind = Kind::allocate, .size = 32}}};
  for (std::uint64_t k = 0; k < 15; ++k) {
    program.operations.push_back({.kind = Kind::deallocate, .k = k});
  }
  program.operations.push_back({.kind = Kind::purge});
  expect_sound<Small>(program);
}

// Memory that nothing holds is purged: pages behind the last item of a chunk, dirty from another
// class, of which that item is used. Nothing kept the chunk meanwhile, and its counts went wrong.
TEST(BugClassHeap, APurgeHoldsAnItemOfWhatItPurges) {
  expect_sound<plan::Quarter>({.setup = {.size = 1},
                               .operations = {{.kind = Kind::allocate},
                                              {.kind = Kind::fail_memory, .number = 1},
                                              {.kind = Kind::deallocate},
                                              {.kind = Kind::repeat, .number = 6},
                                              {.kind = Kind::allocate, .size = 4097},
                                              {.kind = Kind::deallocate, .thread = 2},
                                              {.kind = Kind::purge, .thread = 2}}});
}

// Unmapped memory is purged: a block that was never handed out has inherited the dirt of slots that
// are writable in part. (corpus/fuzz_heap_tiny/regress/purge_past_writable_prefix)
TEST(BugClassHeap, APurgeEndsWithTheWritablePrefix) {
  expect_sound<Tiny>(
      {.operations = {{.kind = Kind::allocate_known, .size = 0},
                      {.kind = Kind::fail_memory, .thread = 3, .number = 0b10111011010101},
                      {.kind = Kind::resize, .thread = 2, .size = 33, .k = 66},
                      {.kind = Kind::allocate, .size = 192},
                      {.kind = Kind::deallocate, .thread = 2, .k = 0},
                      {.kind = Kind::allocate, .thread = 2, .size = 0}}});
}

// A lock is taken again by its holder on a thread's exit.
TEST(BugClassHeap, AThreadsExitTakesNoLockTwice) {
  expect_sound<Small>({.operations = {{.kind = Kind::attach},
                                      {.kind = Kind::allocate, .size = 16},
                                      {.kind = Kind::detach},
                                      {.kind = Kind::attach},
                                      {.kind = Kind::detach}}});
}

// A chunk freed twice by two threads is found whichever of them frees last.
TEST(BugClassHeap, ADoubleFreeByAnotherThreadIsReported) {
  for (const Bad bad : {Bad::twice, Bad::late_twice}) {
    expect_sound<Small>(
        {.operations = {{.kind = Kind::allocate, .size = 256},
                        {.kind = Kind::allocate, .size = 32},
                        {.kind = Kind::deallocate, .thread = 1},
                        {.kind = Kind::deallocate, .thread = 1},
                        {.kind = Kind::allocate, .thread = 2, .size = 512},
                        {.kind = Kind::bad_deallocate, .thread = 2, .bad = bad, .k = 0},
                        {.kind = Kind::bad_deallocate, .thread = 3, .bad = bad, .k = 1}}});
  }
}

// A list keeps what has left it, and is walked for ever: regions leave from its middle.
TEST(BugClassHeap, RegionsThatLeaveAListAreNotFoundAgain) {
  Program program = {.operations = {{.kind = Kind::detach},
                                    {.kind = Kind::repeat, .number = 40},
                                    {.kind = Kind::allocate, .size = 64}}};
  for (std::uint64_t i = 0; i < 30; ++i) {
    program.operations.push_back({.kind = Kind::deallocate, .k = 7 + i % 3});
    program.operations.push_back({.kind = Kind::validate});
  }
  expect_sound<Small>(program);
}

// A reclaimed chunk is still live: all but one of its items are freed, and others move in.
TEST(BugClassHeap, AChunkWithOneLiveItemIsNotReclaimed) {
  Program program = {.operations = {{.kind = Kind::detach},
                                    {.kind = Kind::repeat, .number = 31},
                                    {.kind = Kind::allocate, .size = 32}}};
  for (int i = 0; i < 30; ++i) {
    program.operations.push_back({.kind = Kind::deallocate, .k = 1});
  }
  program.operations.push_back({.kind = Kind::allocate, .size = 128});
  program.operations.push_back({.kind = Kind::purge});
  expect_sound<Small>(program);
}

// A check that is itself too strict: sound books are called broken where a chunk that an operation
// touched lies in a region that is gone, and its slot in a block region of a whole segment.
TEST(BugClassHeap, ATouchedChunkMayLieInAnotherRegionByNow) {
  expect_sound<Tiny>({.setup = {.size = 0},
                      .operations = {{.kind = Kind::detach},
                                     {.kind = Kind::allocate, .size = Tiny::region_bytes},
                                     {.kind = Kind::allocate, .size = 16},
                                     {.kind = Kind::deallocate},
                                     {.kind = Kind::deallocate},
                                     {.kind = Kind::allocate, .size = Tiny::segment_bytes},
                                     {.kind = Kind::allocate, .size = Tiny::segment_bytes}}});
}

}  // namespace
}  // namespace strata::check
