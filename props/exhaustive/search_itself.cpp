// The search itself: what lies about one thing is found out by the check that is for it.

#include "props/exhaustive/search_plans.hpp"
#include "props/exhaustive/search_test.hpp"

namespace strata::check {
namespace {

constexpr SearchSpace a_segment = {.end_slot = 2};

// What it says it dropped is still there.
struct Keeps : SearchMemory<Least> {
  bool decommit(Space space, std::uint64_t offset, std::uint64_t size) {
    const Pages before = pages;
    const bool done = SearchMemory<Least>::decommit(space, offset, size);
    pages = before;
    return done;
  }
};

// Found out in a few steps; and the counter-example fails again when it is replayed.
TEST(StateSearch, FindsAPlantedBug) {
  const SearchResult result = Search<Least, Keeps>(a_segment).run();
  print(result);
  EXPECT_FALSE(result.complete);
  const CounterExample& found = result.counter_example;
  EXPECT_NE(found.text.find("purge"), std::string::npos) << found.text;
  EXPECT_LE(found.operations, 3U) << found.text;
  const auto again = Search<Least, Keeps>(a_segment).replay(from_hex(found.encoded));
  EXPECT_EQ(again.counter_example.text, found.text);
}

// A search that is stopped says so, and of which length every sequence was tried.
TEST(StateSearch, SaysThatItWasStopped) {
  expect_stopped<Least>({.end_slot = 2, .states_max = 1000}, {1000, 1000}, 3);
}

// Each commit of the heap's pages adds one to a word of the control space: to the count of dirty
// bytes, or to the last, which is nobody's.
template <bool is_last>
struct Scribbles : SearchMemory<Least> {
  bool reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
    control_words = sizes[static_cast<std::size_t>(Space::control)] / sizeof(std::uint64_t);
    return SearchMemory<Least>::reserve(sizes, heap_align);
  }
  bool commit(Space space, std::uint64_t offset, std::uint64_t size) {
    if (space == Space::heap) {
      auto* const words = reinterpret_cast<std::uint64_t*>(base(Space::control));
      ++words[is_last ? control_words - 1 : dirty_bytes];
    }
    return SearchMemory<Least>::commit(space, offset, size);
  }
  static constexpr std::size_t dirty_bytes =
      offsetof(control_t<PlainSync>, dirty_bytes) / sizeof(std::uint64_t);
  std::size_t control_words = 0;
};

TEST(StateSearch, FindsBooksThatValidateRefuses) {
  const SearchResult result = Search<Least, Scribbles<false>>(a_segment).run();
  EXPECT_NE(result.counter_example.text.find("dirty_bytes counts what is free"), std::string::npos)
      << result.counter_example.text;
}

TEST(StateSearch, FindsWhatIsWrittenBesideTheBooks) {
  const SearchResult result = Search<Least, Scribbles<true>>(a_segment).run();
  EXPECT_NE(result.counter_example.text.find("something was written beside the books"),
            std::string::npos)
      << result.counter_example.text;
}

class SearchSubject : public testing::Test {
 protected:
  // The first or the second of the smallest items; then operations start from there. Returns its
  // offset.
  std::uint32_t allocate() {
    subject.perform({.kind = Kind::allocate_known, .operand = Least::item_bytes_min}, 0);
    subject.start_here();
    return subject.live().starts_at(0) ? 0 : Least::item_bytes_min;
  }

  Subject<Least, SearchMemory<Least>> subject{a_segment};
};

// The books, and the page, are as they were: only what should live is not.
TEST_F(SearchSubject, WhatShouldLiveIsPartOfAState) {
  const std::uint64_t other = Least::item_bytes_min - allocate();
  const Digest before = subject.digest();
  subject.took(subject.heap().base + other, Least::item_bytes_min, 1, false);
  EXPECT_NE(subject.digest(), before);
  EXPECT_THROW(subject.check_state(), Violation);
}

// A bin that believes it has an empty region already gives up the only one it has.
TEST_F(SearchSubject, ABinThatKeepsNothingIsFoundOut) {
  const std::uint32_t offset = allocate();
  auto& bin = subject.heap().books.of_everything().bin(1);
  bin.empty_regions = 1;
  bin.empty_chunks = 1;
  try {
    subject.perform({.kind = Kind::deallocate, .operand = offset}, 0);
    FAIL() << "law 7 was not asked";
  } catch (const Violation& violation) {
    EXPECT_TRUE(std::string(violation.what()).starts_with("law 7")) << violation.what();
  }
}

}  // namespace
}  // namespace strata::check
