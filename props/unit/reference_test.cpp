// What the driver compares with: the reference of live objects, and the model of contents, to the
// byte.

#include "props/support/reference.hpp"

#include <gtest/gtest.h>

#include "props/support/tagged_space.hpp"

namespace strata::check {
namespace {

class ReferenceTest : public testing::Test {
 protected:
  static constexpr std::uint64_t end = 4096;

  ReferenceTest() {
    live.reset(64, end);
    add(512, 64);
  }
  void add(std::uint64_t offset, std::uint64_t size, std::uint64_t align = 1,
           std::uint64_t base = 0) {
    live.add({.offset = offset, .size = size, .usable = size, .tag = ++tag}, base, align);
  }

  Reference live;
  Tag tag = 0;
};

TEST_F(ReferenceTest, NeighboursAreNoOverlap) {
  EXPECT_NO_THROW(add(576, 1));
  EXPECT_NO_THROW(add(511, 1));
}

TEST_F(ReferenceTest, OneByteIsAnOverlap) {
  EXPECT_THROW(add(575, 16), Violation);  // its last
  EXPECT_THROW(add(496, 17), Violation);  // its first
  EXPECT_THROW(add(512, 64), Violation);
  EXPECT_THROW(add(520, 8), Violation);     // inside
  EXPECT_THROW(add(256, 1024), Violation);  // around
}

TEST_F(ReferenceTest, AllOfAnObjectExists) {
  EXPECT_NO_THROW(add(64, 1));
  EXPECT_NO_THROW(add(end - 16, 16));
  EXPECT_THROW(add(63, 1), Violation);
  EXPECT_THROW(add(end - 32, 33), Violation);
  EXPECT_THROW(add(end, 1), Violation);
}

TEST_F(ReferenceTest, AddressesAreAlignedNotOffsets) {
  EXPECT_NO_THROW(add(1024 + 16, 16, 64, 48));
  EXPECT_THROW(add(2048, 16, 64, 48), Violation);
  EXPECT_THROW(add(2048 + 8, 16, 16), Violation);
}

TEST_F(ReferenceTest, UsableIsNoLessThanWasAskedFor) {
  EXPECT_THROW(live.add({.offset = 1024, .size = 17, .usable = 16, .tag = ++tag}, 0, 1), Violation);
}

TEST_F(ReferenceTest, AnObjectGrowsUpToItsNeighbour) {
  add(640, 64);
  EXPECT_NO_THROW(live.resize({.offset = 512, .size = 128, .usable = 128, .tag = 1}));
  EXPECT_THROW(live.resize({.offset = 512, .size = 129, .usable = 129, .tag = 1}), Violation);
}

TEST_F(ReferenceTest, WhatWasFreedIsRememberedUntilSomethingStartsThere) {
  add(1024, 64);
  live.remove(1024);
  live.remove(512);
  EXPECT_EQ(live.freed(), (std::vector<std::uint64_t>{1024, 512}));
  add(1024, 16);
  EXPECT_EQ(live.freed(), std::vector<std::uint64_t>{512});
}

TEST_F(ReferenceTest, TouchesFromItsFirstByteToItsLast) {
  EXPECT_TRUE(live.touches(512, 513));
  EXPECT_TRUE(live.touches(575, 576));
  EXPECT_FALSE(live.touches(511, 512));
  EXPECT_FALSE(live.touches(576, 577));
}

TEST(TaggedSpaceTest, EachByteCounts) {
  TaggedSpace space;
  space.write(100, 200, 7);
  EXPECT_TRUE(space.holds(100, 200, 7));
  EXPECT_FALSE(space.holds(99, 200, 7));
  EXPECT_FALSE(space.holds(100, 201, 7));
  EXPECT_TRUE(space.holds(0, 100, 0));
  EXPECT_EQ(space.count(7, 150), 50U);
  space.write(199, 200, 0);
  EXPECT_FALSE(space.holds(100, 200, 7));
  EXPECT_TRUE(space.holds(100, 199, 7));
  space.write(150, 151, 8);
  EXPECT_FALSE(space.holds(100, 199, 7));
  EXPECT_TRUE(space.holds(150, 151, 8));
}

// Neighbours of one tag are one piece: each is a mapping.
TEST(TaggedSpaceTest, PiecesAreMaximal) {
  TaggedSpace space;
  EXPECT_EQ(space.pieces(), 1U);
  space.write(0, 100, 1);
  space.write(200, 300, 1);
  EXPECT_EQ(space.pieces(), 4U);
  space.write(100, 200, 1);
  EXPECT_EQ(space.pieces(), 2U);
  space.clear();
  EXPECT_EQ(space.pieces(), 1U);
  EXPECT_TRUE(space.holds(0, 300, 0));
}

}  // namespace
}  // namespace strata::check
