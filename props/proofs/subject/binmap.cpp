// Entry points into the bin map, for the proofs: the production source with nothing around it.

#include "binmap/binmap.hpp"
#include "binmap/ordered_list.hpp"

namespace strata {
namespace {

using Map = BinMap<6>;

}  // namespace

extern "C" {

bool binmap_test(std::uint64_t* summary, std::uint64_t* words, std::uint32_t summary_words,
                 std::uint32_t index) {
  return Map(summary, words, summary_words).test(index);
}
bool binmap_put(std::uint64_t* summary, std::uint64_t* words, std::uint32_t summary_words,
                std::uint32_t index) {
  return Map(summary, words, summary_words).put(index);
}
std::uint32_t binmap_first_from(std::uint64_t* summary, std::uint64_t* words,
                                std::uint32_t summary_words, std::uint32_t index) {
  return Map(summary, words, summary_words).first_from(index);
}
}

}  // namespace strata
