// strata_prove_machine_test BITCODE...
//
// The machine against machine code: every function of the subjects that needs no more than numbers
// and a bin map is run on random numbers by both, and results and memory are compared. What the
// machine says an instruction means is the weakest point of what the proofs rest on.

#include "props/proofs/machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <random>

#include "props/proofs/native.hpp"

namespace strata::prove {
namespace {

constexpr int rounds = 100;

using Random = std::mt19937_64;

// Numbers near the edges that code looks at as often as any others.
Word any_number(Random& random, unsigned bits) {
  const Word all = bits == 64 ? ~Word{0} : (Word{1} << bits) - 1;
  const unsigned shift = static_cast<unsigned>(random() % bits);
  switch (random() % 4) {
    case 0:
      return random() & all;
    case 1:
      return (random() >> (random() % 64)) & all;
    case 2:
      return ((Word{1} << shift) + random() % 3 - 1) & all;
    default:
      return random() % 64 & all;
  }
}

// An array that both can see, with the same contents.
struct Array {
  unsigned bits;
  std::vector<Word> words;  // as bytes: elements side by side

  Array(unsigned element_bits, std::size_t count)
      : bits(element_bits), words((count * element_bits + 63) / 64) {}
  std::size_t count() const { return words.size() * 64 / bits; }
  Word get(std::size_t i) const {
    const Word mask = bits == 64 ? ~Word{0} : (Word{1} << bits) - 1;
    return (words[i * bits / 64] >> (i * bits % 64)) & mask;
  }
};

// A bin map in a state that is right, of 1, 2 or 4 summary words; and a list in it.
struct Stage {
  Array summary{64, 4}, words{64, 256}, head, links;
  std::uint32_t summary_words;
  std::vector<std::uint32_t> members, others;

  Stage(Random& random, unsigned link_bits)
      : head(link_bits, 64 / link_bits), links(link_bits, 8192) {
    const std::uint32_t sizes[] = {1, 2, 4};
    summary_words = sizes[random() % (link_bits == 16 ? 1 : 3)];
    const std::uint32_t bits = std::min(4096 * summary_words, 8192U);
    for (std::size_t n = random() % 200; n > 0; --n) {
      put(static_cast<std::uint32_t>(random() % bits));
    }
    if (random() % 4 == 0) {  // a full word
      const auto w = static_cast<std::uint32_t>(random() % (bits / 64));
      for (std::uint32_t i = 0; i < 64; ++i) {
        put(64 * w + i);
      }
    }
    Word next = ~Word{0};
    for (std::uint32_t i = bits; i-- > 0;) {
      if (((words.words[i / 64] >> (i % 64)) & 1) != 0) {
        set(links, i, next);
        next = i;
        members.push_back(i);
      } else if (random() % 64 == 0) {
        others.push_back(i);
      }
    }
    set(head, 0, next);
  }
  void put(std::uint32_t i) {
    words.words[i / 64] |= Word{1} << (i % 64);
    summary.words[i / 4096] |= Word{1} << (i / 64 % 64);
  }
  static void set(Array& array, std::size_t i, Word value) {
    const Word mask = array.bits == 64 ? ~Word{0} : (Word{1} << array.bits) - 1;
    Word& word = array.words[i * array.bits / 64];
    const std::size_t shift = i * array.bits % 64;
    word = (word & ~(mask << shift)) | ((value & mask) << shift);
  }
};

// One function of the subjects, by both.
class Comparison {
 public:
  Comparison(Machine& machine, const Native& native, const Native::Function& function,
             Random& random)
      : machine_(machine), native_(native), function_(function), random_(random) {}

  // Whether it was run at all; throws where they differ.
  bool run() {
    const bool is_list = function_.name.starts_with("list_");
    const bool is_map = is_list || function_.name.starts_with("binmap_");
    const bool has_pointers = std::ranges::count(function_.bits, 0U) != 0;
    if (has_pointers && !is_map) {
      return false;
    }
    for (int round = 0; round < rounds; ++round) {
      is_map ? run_on_map(is_list) : run_on_numbers();
    }
    if (compared_ < rounds / 20) {
      throw std::runtime_error(function_.name + ": most calls trap, of which nothing is compared");
    }
    return true;
  }
  int compared() const { return compared_; }

 private:
  void run_on_numbers() {
    std::vector<Word> words;
    for (const unsigned bits : function_.bits) {
      words.push_back(any_number(random_, bits));
    }
    compare(words, {});
  }

  void run_on_map(bool is_list) {
    Stage stage(random_, function_.name.ends_with("16") ? 16 : 32);
    std::vector<Array*> arrays = {&stage.summary, &stage.words};
    if (is_list) {
      arrays.push_back(&stage.head);
      arrays.push_back(&stage.links);
    }
    std::vector<Word> words = {reinterpret_cast<Word>(stage.summary.words.data()),
                               reinterpret_cast<Word>(stage.words.words.data()),
                               stage.summary_words};
    const bool insert = function_.name.starts_with("list_insert");
    const auto& places = insert ? stage.others : stage.members;
    if (is_list) {
      words.push_back(reinterpret_cast<Word>(stage.head.words.data()));
      words.push_back(reinterpret_cast<Word>(stage.links.words.data()));
      words.push_back(places.empty() ? 0 : places[random_() % places.size()]);
    } else {
      arguments_of_map(stage, words);
    }
    if (!is_list || !places.empty()) {
      compare(words, arrays);
    }
  }

  void arguments_of_map(const Stage& stage, std::vector<Word>& words) {
    const Word end = 4096 * stage.summary_words;
    if (function_.name == "binmap_test_all") {
      const Word first = random_() % end;
      words.push_back(first);
      words.push_back(std::min(end - 1, first + random_() % 256));
      return;
    }
    const bool names_word =
        function_.name == "binmap_summary_test" || function_.name == "binmap_set_word";
    while (words.size() < function_.bits.size()) {
      const bool is_value = function_.bits[words.size()] == 64;
      const bool near = !stage.members.empty() && random_() % 2 == 0;
      const Word index = near ? stage.members[random_() % stage.members.size()] : random_() % end;
      words.push_back(is_value ? random_() : names_word ? index / 64 : index);
    }
  }

  void compare(const std::vector<Word>& words, const std::vector<Array*>& arrays) {
    Memory memory(machine_.context());
    std::vector<Value> arguments;
    std::vector<Shape> shapes;
    std::vector<int> objects;
    shapes.reserve(arrays.size());
    for (std::size_t i = 0, pointer = 0; i < words.size(); ++i) {
      const unsigned bits = function_.bits[i];
      if (bits != 0) {
        arguments.push_back({machine_.context().bv_val(words[i], bits)});
        continue;
      }
      const Array& array = *arrays[pointer++];
      shapes.push_back({"array", array.bits / 8, array.count(), {{"value", 0, array.bits}}});
      const int object = machine_.new_object();
      memory.add_records(object, shapes.back());
      const auto number = [&](Word value, unsigned width) {
        return machine_.context().bv_val(value, width);
      };
      memory.store_range(object, number(0, 64), number(array.count(), 64),
                         [contents = array, this](const Term& at) {
                           Word index = 0;
                           if (!at.simplify().is_numeral_u64(index)) {
                             throw Unsupported("an index that is no number");
                           }
                           return machine_.context().bv_val(contents.get(index), contents.bits);
                         });
      objects.push_back(object);
      arguments.push_back({number(0, 64), object});
    }
    const std::vector<End> ends = machine_.call(function_.name, arguments, memory, {});
    if (ends.size() != 1) {
      throw std::runtime_error(function_.name + ": a call with numbers has several ends");
    }
    if (!ends[0].trap.empty()) {
      return;  // the native code would stop this program
    }
    std::vector<Array> before;
    for (const Array* array : arrays) {
      before.push_back(*array);
    }
    const Word result = native_.call(function_, words);
    ++compared_;
    const Word mask =
        function_.result_bits == 64 ? ~Word{0} : (Word{1} << function_.result_bits) - 1;
    if (function_.result_bits != 0) {
      expect(ends[0].result.term, result & mask, words);
    }
    for (std::size_t a = 0; a < arrays.size(); ++a) {
      const Array& was = before[a];
      for (std::size_t i = 0; i < arrays[a]->count(); ++i) {
        // What machine code changed, and a sample of what it left.
        if (arrays[a]->get(i) == was.get(i) && random_() % 64 != 0) {
          continue;
        }
        expect(ends[0].memory.field({Term(machine_.context()), objects[a]}, "value",
                                    machine_.context().bv_val(i, 64)),
               arrays[a]->get(i), words);
      }
    }
  }

  void expect(const Term& term, Word wanted, const std::vector<Word>& words) {
    Word value = 0;
    if (term.simplify().is_numeral_u64(value) && value == wanted) {
      return;
    }
    std::string text = function_.name + ": the machine says " + term.simplify().to_string() +
                       ", machine code " + std::to_string(wanted) + ", of";
    for (const Word word : words) {
      text += " " + std::to_string(word);
    }
    throw std::runtime_error(text);
  }

  Machine& machine_;
  const Native& native_;
  const Native::Function& function_;
  Random& random_;
  int compared_ = 0;
};

int test(const std::vector<std::string>& files) {
  Random random(20261123);
  std::set<std::string> kinds;
  std::size_t functions = 0, left_out = 0;
  long calls = 0;
  for (const std::string& file : files) {
    z3::context context;
    Machine machine(context, file);
    const Native native(file);
    for (const Native::Function& function : native.functions()) {
      Comparison comparison(machine, native, function, random);
      comparison.run() ? ++functions : ++left_out;
      calls += comparison.compared();
    }
    kinds.insert(machine.kinds().begin(), machine.kinds().end());
  }
  fmt::print(
      "{} calls of {} functions agree with machine code, over {} kinds of instructions; "
      "{} functions on more than a bin map are left out\n",
      calls, functions, kinds.size(), left_out);
  return functions > 0 && calls > 0 ? 0 : 1;
}

}  // namespace
}  // namespace strata::prove

int main(int argc, char** argv) {
  try {
    return strata::prove::test({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    fmt::print(stderr, "machine test: {}\n", error.what());
  }
  return 1;
}
