// The operation format, and the models that every other check stands on.

#include <algorithm>
#include <array>

#include "props/model/generators.hpp"
#include "props/model/property.hpp"
#include "props/support/operation.hpp"
#include "props/support/plans.hpp"
#include "props/support/scripted_memory.hpp"
#include "props/support/tagged_space.hpp"
#include "props/support/trace.hpp"

namespace strata::check {
namespace {

TEST(Operations, EncodeAndDecodeRoundTrip) {
  property([]() {
    const Program program{.operations =
                              *rc::gen::container<std::vector<Operation>>(any_operation())};
    RC_ASSERT(decode(encode(program)) == program);
  });
}

TEST(Operations, EveryByteStringDecodes) {
  property([](const std::vector<std::uint8_t>& bytes) {
    const Program program = decode(bytes);
    RC_ASSERT(decode(encode(program)) == program);
    RC_ASSERT(program.operations.size() <= bytes.size());
  });
}

TEST(Operations, SizesOfEveryMagnitudeRoundTrip) {
  for (unsigned shift = 0; shift < 64; ++shift) {
    for (int delta = -130; delta <= 130; ++delta) {
      const std::uint64_t size = (std::uint64_t{1} << shift) + static_cast<std::uint64_t>(delta);
      const Program program{.operations = {{.kind = Kind::allocate, .size = size}}};
      ASSERT_EQ(decode(encode(program)), program) << size;
    }
  }
}

TEST(Operations, TextNamesTheOperands) {
  EXPECT_EQ(to_text(Operation{.kind = Kind::resize, .thread = 2, .size = 100, .k = 3}),
            "t2 resize 3 to 100");
  EXPECT_EQ(to_text(Operation{.kind = Kind::fail_memory, .repeats = true, .number = 5}),
            "t0 fail_memory 0b101 again and again");
}

std::vector<TraceOperation> read_trace(std::span<const std::uint8_t> bytes) {
  std::vector<TraceOperation> operations;
  TraceReader reader(bytes);
  for (TraceOperation op; reader.next(op);) {
    operations.push_back(op);
  }
  return operations;
}

std::vector<std::uint8_t> write_trace(std::span<const TraceOperation> operations) {
  std::vector<std::uint8_t> bytes;
  TraceWriter writer([&](std::uint8_t byte) { bytes.push_back(byte); });
  std::ranges::for_each(operations, [&](const TraceOperation& op) { writer.write(op); });
  return bytes;
}

TEST(Traces, EveryByteStringRoundTrips) {
  property([](const std::vector<std::uint8_t>& bytes) {
    const auto operations = read_trace(bytes);
    const auto canonical = write_trace(operations);
    RC_ASSERT(read_trace(canonical) == operations);
    RC_ASSERT(write_trace(read_trace(canonical)) == canonical);
  });
}

TEST(Traces, NumberObjectsInTheOrderOfTheirMaking) {
  const std::vector<TraceOperation> operations = {
      {.kind = Kind::allocate, .size = 30},
      {.kind = Kind::allocate_aligned, .align_shift = 12, .object = 1, .size = 4096},
      {.kind = Kind::resize, .thread = 300, .object = 2, .old = 0, .size = 1'000'000},
      {.kind = Kind::allocate_known, .object = 3, .size = 31},
      {.kind = Kind::deallocate, .thread = 1, .old = 2},
      {.kind = Kind::deallocate, .thread = 1, .old = 1}};
  EXPECT_EQ(read_trace(write_trace(operations)), operations);
  EXPECT_EQ(to_text(operations[2]), "t300 resize #0 to 1000000: #2");
}

TEST(Traces, BecomeProgramsForFuzzers) {
  const std::vector<TraceOperation> operations = {
      {.kind = Kind::allocate, .size = 30},
      {.kind = Kind::allocate, .object = 1, .size = 40},
      {.kind = Kind::deallocate, .thread = 5, .old = 0},
      {.kind = Kind::resize, .object = 2, .old = 1, .size = 50}};
  const Program program = to_program(write_trace(operations), 100);
  ASSERT_EQ(program.operations.size(), 4U);
  EXPECT_EQ(to_text(program.operations[2]), "t1 deallocate 0");
  EXPECT_EQ(to_text(program.operations[3]), "t0 resize 0 to 50");
  EXPECT_EQ(to_program(write_trace(operations), 2).operations.size(), 2U);
}

// The model of contents against a plain array.
TEST(Contents, BehaveAsAnArray) {
  property([]() {
    constexpr std::size_t size = 24;
    std::array<Tag, size> model{};
    TaggedSpace space;
    const auto writes = *rc::gen::container<std::vector<std::tuple<std::size_t, std::size_t, Tag>>>(
        rc::gen::tuple(rc::gen::inRange<std::size_t>(0, size + 1),
                       rc::gen::inRange<std::size_t>(0, size + 1), rc::gen::inRange<Tag>(0, 3)));
    for (const auto& [a, b, tag] : writes) {
      space.write(std::min(a, b), std::max(a, b), tag);
      std::fill(model.begin() + static_cast<long>(std::min(a, b)),
                model.begin() + static_cast<long>(std::max(a, b)), tag);
      std::size_t pieces = 1;
      for (std::size_t i = 0; i < size; ++i) {
        RC_ASSERT(space.holds(i, i + 1, model[i]));
        pieces += i + 1 < size ? model[i] != model[i + 1] : model[i] != 0;
      }
      RC_ASSERT(space.pieces() == pieces);
      RC_ASSERT(space.count(1, size) ==
                static_cast<std::uint64_t>(std::count(model.begin(), model.end(), 1U)));
    }
  });
}

using Memory = ScriptedMemory<Tiny>;

Memory reserved_memory() {
  Memory memory;
  memory.reserve({4096, 1024, 1024, 1024, 8192}, Tiny::segment_bytes);
  return memory;
}

TEST(ScriptedMemory, RefusesAsItIsTold) {
  Memory memory = reserved_memory();
  memory.failures = {.pattern = 0b101};
  const auto commit = [&] { return memory.commit(Space::heap, 0, 32); };
  EXPECT_FALSE(commit());
  EXPECT_TRUE(commit());
  EXPECT_FALSE(commit());
  EXPECT_TRUE(commit());
}

TEST(ScriptedMemory, RefusesAgainAndAgain) {
  Memory memory = reserved_memory();
  memory.failures = {.pattern = 0b10, .repeats = true};
  const auto commit = [&] { return memory.commit(Space::heap, 0, 32); };
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(commit());
    EXPECT_FALSE(commit());
  }
}

TEST(ScriptedMemory, ChecksTheProtocol) {
  Memory memory = reserved_memory();
  EXPECT_THROW(memory.commit(Space::heap, 0, 33), Violation);                  // not whole pages
  EXPECT_THROW(memory.commit(Space::heap, 1024, 32), Violation);               // outside
  EXPECT_THROW(memory.commit(Space::heap, 0, ~std::uint64_t{31}), Violation);  // wraps
  EXPECT_THROW(memory.decommit(Space::heap, 0, 32), Violation);                // not committed
  EXPECT_TRUE(memory.commit(Space::heap, 0, 64));
  EXPECT_TRUE(memory.commit(Space::heap, 32, 64));  // repeated in part: harmless
  EXPECT_TRUE(memory.decommit(Space::heap, 0, 96));
  EXPECT_THROW(memory.decommit(Space::heap, 0, 128), Violation);
  memory.absent_head_bytes = 128;
  EXPECT_THROW(memory.commit(Space::heap, 96, 64), Violation);  // absent
}

TEST(ScriptedMemory, CountsMappingsAndForgetsContents) {
  Memory memory = reserved_memory();
  EXPECT_EQ(memory.mappings(), space_count);
  memory.commit(Space::heap, 32, 32);
  EXPECT_EQ(memory.mappings(), space_count + 2);  // before, inside, after
  memory.commit(Space::heap, 0, 32);
  EXPECT_EQ(memory.mappings(), space_count + 1);
  EXPECT_EQ(memory.committed_bytes(Space::heap), 64U);
  memory.contents().write(0, 64, 7);
  memory.failures = {.pattern = 1};
  EXPECT_FALSE(memory.decommit(Space::heap, 0, 64));  // the first page only
  EXPECT_TRUE(memory.contents().holds(0, 32, 0) && memory.contents().holds(32, 64, 7));
}

}  // namespace
}  // namespace strata::check
