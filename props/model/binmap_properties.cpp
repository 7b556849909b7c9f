// The bin map and the ordered list against std::set: any operations, every query after each.

#include <algorithm>
#include <bit>
#include <functional>
#include <set>
#include <vector>

#include "binmap/binmap.hpp"
#include "binmap/ordered_list.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

using Set = std::set<std::uint32_t>;

// A map with its own words. Three summary words at every word size.
template <unsigned WordShift>
struct OwnedMap {
  using Map = BinMap<WordShift>;
  static constexpr std::uint32_t bits_per_summary_word = Map::word_bits * Map::word_bits;
  static constexpr std::uint32_t size = 2 * bits_per_summary_word + 3;
  static constexpr std::uint32_t summary_words = Map::summary_words_for(size);
  // Whole words past the end: a query that begins there must not take what it reads for its own.
  static constexpr std::uint32_t past_words = 5;
  static constexpr std::uint32_t past = (summary_words + past_words) * bits_per_summary_word;

  OwnedMap() { std::fill_n(summary.end() - past_words, past_words, Map::full_word); }

  Map map() { return Map(summary.data(), words.data(), summary_words); }

  std::vector<std::uint64_t> words = std::vector<std::uint64_t>(Map::words_for(size));
  std::vector<std::uint64_t> summary = std::vector<std::uint64_t>(summary_words + past_words);
};

// Every second one of eight that lie far apart: in large maps, too, what is in is met again.
template <class Owned>
rc::Gen<std::uint32_t> any_index() {
  const auto far = rc::gen::map(rc::gen::inRange<std::uint32_t>(0, 8),
                                [](std::uint32_t k) { return k * (Owned::size - 1) / 7; });
  return rc::gen::oneOf(far, rc::gen::inRange<std::uint32_t>(0, Owned::size));
}

std::uint32_t at_or_none(const Set& set, Set::const_iterator at) {
  return at == set.end() ? no_index : *at;
}
std::uint32_t before(const Set& set, std::uint32_t index) {
  const auto at = set.lower_bound(index);
  return at == set.begin() ? no_index : *std::prev(at);
}

template <unsigned WordShift>
void check_queries(OwnedMap<WordShift>& owned, const Set& model, std::uint32_t index) {
  const auto map = owned.map();
  RC_ASSERT(map.empty() == model.empty());
  RC_ASSERT(map.first() == at_or_none(model, model.begin()));
  RC_ASSERT(map.test(index) == model.contains(index));
  RC_ASSERT(map.first_from(index) == at_or_none(model, model.lower_bound(index)));
  RC_ASSERT(map.last_before(index) == before(model, index));
  // Past the end nothing is found but what lies before.
  RC_ASSERT(map.first_from(owned.past) == no_index);
  RC_ASSERT(map.last_before(owned.past) == before(model, owned.past));
  for (std::size_t w = 0; w < owned.words.size(); ++w) {
    const std::uint64_t summary = owned.summary[w >> WordShift];
    RC_ASSERT(((summary >> (w % map.word_bits)) & 1) == (owned.words[w] != 0 ? 1U : 0U));
  }
}

template <class Shift>
class BinMapProperties : public testing::Test {};
using Shifts =
    testing::Types<std::integral_constant<unsigned, 1>, std::integral_constant<unsigned, 2>,
                   std::integral_constant<unsigned, 6>>;
TYPED_TEST_SUITE(BinMapProperties, Shifts);

TYPED_TEST(BinMapProperties, BehavesAsASet) {
  property([] {
    using Owned = OwnedMap<TypeParam::value>;
    const auto steps = *rc::gen::container<std::vector<std::pair<bool, std::uint32_t>>>(
        rc::gen::pair(rc::gen::arbitrary<bool>(), any_index<Owned>()));
    Owned owned;
    Set model;
    mix().begin_sequence();
    for (const auto& [put, index] : steps) {
      mix().count(put ? "put" : "take");
      if (put) {
        RC_ASSERT(owned.map().put(index) == model.insert(index).second);
      } else {
        RC_ASSERT(owned.map().take(index) == (model.erase(index) == 1));
      }
      check_queries(owned, model, index);
    }
  });
}

TYPED_TEST(BinMapProperties, FillMakesALowestPart) {
  property([] {
    using Owned = OwnedMap<TypeParam::value>;
    const auto bits = *rc::gen::inRange<std::uint32_t>(0, Owned::size + 1);
    Owned owned;
    owned.map().fill(bits);
    Set model;
    for (std::uint32_t i = 0; i < bits; ++i) {
      model.insert(model.end(), i);
    }
    const auto index = *rc::gen::inRange<std::uint32_t>(0, Owned::size);
    check_queries(owned, model, index);
  });
}

TYPED_TEST(BinMapProperties, LastInBothIsTheLastOfTheIntersection) {
  property([] {
    using Owned = OwnedMap<TypeParam::value>;
    const auto puts = *rc::gen::container<std::vector<std::pair<unsigned, std::uint32_t>>>(
        rc::gen::pair(rc::gen::inRange(1U, 4U), rc::gen::inRange<std::uint32_t>(0, Owned::size)));
    Owned first, second;
    for (const auto& [where, index] : puts) {
      (where & 1) != 0 && first.map().put(index);
      (where & 2) != 0 && second.map().put(index);
    }
    Set both;
    for (std::uint32_t index = 0; index < Owned::size; ++index) {
      if (first.map().test(index) && second.map().test(index)) {
        both.insert(both.end(), index);
      }
    }
    for (std::uint32_t index = 0; index <= Owned::size; ++index) {
      RC_ASSERT(first.map().last_in_both_before(second.map(), index) == before(both, index));
    }
  });
}

// Taking whole words, as a refill does, empties the map in order.
TYPED_TEST(BinMapProperties, WordsDrainInOrder) {
  property([] {
    using Owned = OwnedMap<TypeParam::value>;
    const auto members = *rc::gen::container<Set>(rc::gen::inRange<std::uint32_t>(0, Owned::size));
    Owned owned;
    for (const std::uint32_t index : members) {
      owned.map().put(index);
    }
    std::vector<std::uint32_t> drained;
    auto map = owned.map();
    while (!map.empty()) {
      const std::uint32_t w = map.first_word();
      for (std::uint64_t word = map.word(w); word != 0; word &= word - 1) {
        drained.push_back(w * map.word_bits + static_cast<std::uint32_t>(std::countr_zero(word)));
      }
      map.set_word(w, 0);
    }
    RC_ASSERT(std::ranges::equal(drained, members));
  });
}

TYPED_TEST(BinMapProperties, OrderedListIsInOrder) {
  property([] {
    using Owned = OwnedMap<TypeParam::value>;
    const auto toggles = *rc::gen::container<std::vector<std::uint32_t>>(any_index<Owned>());
    Owned owned;
    std::vector<std::uint16_t> links(Owned::size);
    std::uint16_t head = 0xFFFF;
    const auto next = [&links](std::uint32_t i) -> std::uint16_t& { return links[i]; };
    OrderedList<std::uint16_t, typename Owned::Map, decltype(next)> list(head, owned.map(), next);
    Set model;
    mix().begin_sequence();
    for (const std::uint32_t index : toggles) {
      mix().count(model.contains(index) ? "remove" : "insert");
      if (model.erase(index) == 1) {
        list.remove(index);
      } else {
        model.insert(index);
        list.insert(index);
      }
      std::vector<std::uint32_t> walked;
      for (std::uint16_t at = list.first(); at != 0xFFFF; at = list.after(at)) {
        RC_ASSERT(walked.size() < model.size());
        walked.push_back(at);
      }
      RC_ASSERT(std::ranges::equal(walked, model));
      RC_ASSERT(list.contains(index) == model.contains(index));
    }
  });
}

// Each query of a map of 3 alone, beside a set of something else.
TEST(BinMapPropertiesThemselves, AskEveryQuery) {
  using Owned = OwnedMap<6>;
  const auto expect = [](
                          const char* oracle, const Set& set, std::uint32_t index,
                          const std::function<void(Owned&)>& lie = [](Owned&) {}) {
    Owned owned;
    owned.map().put(3);
    lie(owned);
    expect_said(oracle, [&] { check_queries(owned, set, index); });
  };
  expect("map.empty()", {}, 0);
  expect("map.first() ==", {4}, 0);
  expect("map.test(index)", {3, 7}, 7);
  expect("map.first_from(index)", {3, 7}, 5);
  expect("map.last_before(index)", {3, 7}, 10);
  expect("map.last_before(owned.past)", {3, 7}, 2);
  expect("owned.words[w] != 0", {3}, 0, [](Owned& owned) { owned.words[1] = 1; });
}

}  // namespace
}  // namespace strata::check
