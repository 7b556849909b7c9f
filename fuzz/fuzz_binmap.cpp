// The bin map and the list threaded through it, beside an array of bools: words of 2, 8 and 64
// bits.

#include <algorithm>
#include <utility>
#include <vector>

#include "binmap/ordered_list.hpp"
#include "props/support/byte_reader.hpp"
#include "props/support/violation.hpp"

namespace {

using namespace strata;
using namespace strata::check;

template <unsigned WordShift>
class Target {
  using Map = BinMap<WordShift>;

 public:
  explicit Target(std::uint32_t bits)
      : model_(bits),
        words_(Map::words_for(bits)),
        summary_(Map::summary_words_for(bits)),
        next_(bits) {}

  void run(ByteReader& in) {
    while (!in.at_end()) {
      step(in);
      check();
    }
  }

 private:
  struct Next {
    std::uint32_t* links;
    std::uint32_t& operator()(std::uint32_t index) const { return links[index]; }
  };

  Map map() {
    return Map(summary_.data(), words_.data(), static_cast<std::uint32_t>(summary_.size()));
  }
  std::uint32_t bits() const { return static_cast<std::uint32_t>(model_.size()); }

  void step(ByteReader& in) {
    const std::uint8_t action = in.byte();
    const auto index = static_cast<std::uint32_t>(in.number_of(2) % bits());
    switch (action % 8) {
      case 0:
        require(map().put(index) == !model_[index], "put {}", index);
        model_[index] = true;
        relink();
        break;
      case 1:
        require(map().take(index) == model_[index], "take {}", index);
        model_[index] = false;
        relink();
        break;
      case 2:
        put_many(index, in.number_of(8));
        break;
      case 3:
        set_word(index, in.number_of(8));
        break;
      case 4: {
        const bool full = in.byte() % 2 != 0;
        full ? map().fill(bits()) : map().clear(bits());
        model_.assign(model_.size(), full);
        relink();
        break;
      }
      case 5:
        look(index, static_cast<std::uint32_t>(in.number_of(2) % bits()));
        break;
      default:
        list(index);
    }
  }

  // The bits of one word that exist.
  typename Map::Word existing(std::uint32_t w) const {
    const std::uint32_t count = std::min(bits() - (w << WordShift), Map::word_bits);
    return Map::full_word >> (Map::word_bits - count);
  }
  typename Map::Word model_word(std::uint32_t w) const {
    typename Map::Word word = 0;
    for (std::uint32_t i = w << WordShift; i < std::min(bits(), (w + 1) << WordShift); ++i) {
      word |= typename Map::Word{model_[i]} << (i % Map::word_bits);
    }
    return word;
  }
  void model_set_word(std::uint32_t w, typename Map::Word word) {
    for (std::uint32_t i = w << WordShift; i < std::min(bits(), (w + 1) << WordShift); ++i) {
      model_[i] = ((word >> (i % Map::word_bits)) & 1) != 0;
    }
  }

  // A batch of puts from `index` on, the summary written once; only for maps of one summary word.
  void put_many(std::uint32_t index, std::uint64_t mask) {
    if (summary_.size() > 1) {
      return;
    }
    typename Map::Putter putter(map());
    for (; mask != 0 && index < bits(); ++index, mask >>= 1) {
      if ((mask & 1) != 0) {
        require(putter.put(index) == !model_[index], "put {} of many", index);
        model_[index] = true;
      }
    }
    putter.finish();
    relink();
  }
  void set_word(std::uint32_t index, std::uint64_t value) {
    const std::uint32_t w = index >> WordShift;
    map().set_word(w, value & existing(w));
    model_set_word(w, value);
    relink();
  }

  void look(std::uint32_t a, std::uint32_t b) {
    const auto [first, last] = std::minmax(a, b);
    bool all = true;
    for (std::uint32_t i = first; i <= last; ++i) {
      all = all && model_[i];
    }
    require(map().test_all(first, last) == all, "test_all {} to {}", first, last);
    require(map().test(a) == model_[a], "test {}", a);
    require(map().first_from(a) == model_from(a), "first_from {}", a);
    require(map().first_from(bits()) == no_index, "first_from the end");
    require(map().last_before(a) == model_before(a), "last_before {}", a);
    require(map().last_before(bits()) == model_before(bits()), "last_before the end");
  }

  // The links as insertions in address order would leave them; for what changes the map alone.
  void relink() {
    head_ = no_index;
    for (std::uint32_t i = bits(); i-- > 0;) {
      next_[i] = model_[i] ? std::exchange(head_, i) : 0;
    }
  }
  void list(std::uint32_t index) {
    OrderedList<std::uint32_t, Map, Next> list(head_, map(), {next_.data()});
    require(list.contains(index) == model_[index], "contains {}", index);
    model_[index] ? list.remove(index) : list.insert(index);
    model_[index] = !model_[index];
  }

  std::uint32_t model_from(std::uint32_t index) const {
    while (index < bits() && !model_[index]) {
      ++index;
    }
    return index < bits() ? index : no_index;
  }
  std::uint32_t model_before(std::uint32_t index) const {
    while (index > 0 && !model_[index - 1]) {
      --index;
    }
    return index > 0 ? index - 1 : no_index;
  }

  void check() {
    for (std::uint32_t w = 0; w < words_.size(); ++w) {
      require(map().word(w) == model_word(w), "word {}", w);
      require(map().summary_test(w) == (model_word(w) != 0), "summary of word {}", w);
    }
    std::uint32_t first = no_index;
    for (std::uint32_t i = bits(); i-- > 0;) {
      require(next_[i] == (model_[i] ? first : 0), "the link of {}", i);
      first = model_[i] ? i : first;
    }
    require(head_ == first, "the list's head");
    require(map().first() == first, "first");
    require(map().empty() == (first == no_index), "empty");
  }

  std::vector<bool> model_;
  std::vector<std::uint64_t> words_, summary_;
  std::vector<std::uint32_t> next_;
  std::uint32_t head_ = no_index;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_violation_handler(trap_on_violation);
  ByteReader in({data, size});
  const std::uint8_t width = in.byte();
  const auto bits = static_cast<std::uint32_t>(in.byte());
  switch (width % 3) {
    case 0:
      Target<1>(bits % 24 + 1).run(in);
      break;
    case 1:
      Target<3>(bits + 1).run(in);
      break;
    default:
      Target<6>(bits % 4 == 0 ? 4096 + bits : bits + 1).run(in);
  }
  return 0;
}
