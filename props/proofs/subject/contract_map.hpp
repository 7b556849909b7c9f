// The bin map by contract: the same members as BinMap, of which the machine knows only what the
// proofs of BinMap say (map_contract.hpp). What is proved above it needs no word of how.
#pragma once

#include "binmap/binmap.hpp"

namespace strata {

extern "C" {
bool contract_map_test(const std::uint64_t* words, std::uint32_t index);
bool contract_map_put(std::uint64_t* words, std::uint32_t index);
bool contract_map_take(std::uint64_t* words, std::uint32_t index);
std::uint32_t contract_map_first_from(const std::uint64_t* words, std::uint32_t index);
std::uint32_t contract_map_last_before(const std::uint64_t* words, std::uint32_t index);
std::uint32_t contract_map_first_word(const std::uint64_t* words);
std::uint64_t contract_map_word(const std::uint64_t* words, std::uint32_t w);
void contract_map_set_word(std::uint64_t* words, std::uint32_t w, std::uint64_t value);
void contract_map_fill(std::uint64_t* words, std::uint32_t bits);
void contract_map_clear(std::uint64_t* words, std::uint32_t bits);
}

class ContractMap {
 public:
  using Word = std::uint64_t;
  static constexpr std::uint32_t word_bits = BinMap<6>::word_bits;
  static constexpr Word full_word = BinMap<6>::full_word;

  ContractMap(Word* /*summary*/, Word* words, std::uint32_t /*summary_words*/ = 1)
      : words_(words) {}

  bool test(std::uint32_t index) const { return contract_map_test(words_, index); }
  bool put(std::uint32_t index) { return contract_map_put(words_, index); }
  bool take(std::uint32_t index) { return contract_map_take(words_, index); }
  std::uint32_t first() const { return contract_map_first_from(words_, 0); }
  std::uint32_t first_from(std::uint32_t index) const {
    return contract_map_first_from(words_, index);
  }
  std::uint32_t last_before(std::uint32_t index) const {
    return contract_map_last_before(words_, index);
  }
  std::uint32_t first_word() const { return contract_map_first_word(words_); }
  Word word(std::uint32_t w) const { return contract_map_word(words_, w); }
  void set_word(std::uint32_t w, Word value) { contract_map_set_word(words_, w, value); }
  void fill(std::uint32_t bits) { contract_map_fill(words_, bits); }
  void clear(std::uint32_t bits) { contract_map_clear(words_, bits); }

  class Putter {
   public:
    explicit Putter(const ContractMap& map) : words_(map.words_) {}
    bool put(std::uint32_t index) { return contract_map_put(words_, index); }
    void finish() {}

   private:
    Word* words_;
  };

 private:
  Word* words_;
};

}  // namespace strata
