// Strings and hash maps: an index from words to the lines they stand in, built, queried and
// rebuilt.
#include <string>
#include <unordered_map>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

// Few words are common and short, most are rare and long.
std::string word(Random& random) {
  const std::size_t rank = random.below(1U << random.between(1, 16));
  std::string text = "word";
  for (std::size_t rest = rank; rest > 0; rest /= 3) {
    text += static_cast<char>('a' + rest % 26);
    text += "ing";
  }
  return text;
}

std::string line(Random& random) {
  std::string text;
  for (std::size_t words = random.between(3, 18); words > 0; --words) {
    text += word(random) + ' ';
  }
  return text;
}

std::size_t build_index(Random& random, std::size_t lines) {
  std::unordered_map<std::string, std::vector<std::string>> index;
  for (std::size_t i = 0; i < lines; ++i) {
    const std::string text = line(random);
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find(' ', at);
      index[text.substr(at, end - at)].push_back(text.substr(0, 40));
      at = end + 1;
    }
  }
  return index.size();
}

}  // namespace

int main() {
  Random random(1);
  std::size_t words = 0;
  for (unsigned round = 0; round < 5; ++round) {
    words += build_index(random, 25'000);
  }
  std::printf("%zu\n", words);
}
