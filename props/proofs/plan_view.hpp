// What the proofs of the plan and of the books share.
#pragma once

#include "plan/plan.hpp"
#include "props/proofs/proof.hpp"

namespace strata::prove {

// One plan, as the proofs see it: its numbers, and calls of its functions.
class Plan {
 public:
  template <class P>
  static Plan of(Proof& proof) {
    return {proof, P::item_classes, P::last_block, P::class_limit, P::bins_for(P::shards_max)};
  }

  Plan(Proof& proof, std::uint32_t items, std::uint32_t last, std::uint32_t limit,
       std::uint32_t bin_count)
      : item_classes(items), last_block(last), class_limit(limit), bins(bin_count), proof_(proof) {}

  Term call(const std::string& function, const std::vector<Term>& arguments) {
    Proof::Arguments all;
    for (const Term& each : arguments) {
      all.push_back({each});
    }
    return proof_.value(function, all);
  }
  bool holds(const std::string& function, std::uint32_t cls) {
    return call(function, {proof_.number(cls, 32)}).get_numeral_uint64() != 0;
  }
  std::uint64_t constant(const std::string& function, std::uint32_t cls) {
    return call(function, {proof_.number(cls, 32)}).get_numeral_uint64();
  }

  // A number of few bits, as a word.
  Term narrow(const std::string& name, unsigned bits) {
    return z3::zext(proof_.input(name, bits), 64 - bits);
  }
  Term size(const std::string& name = "size") { return proof_.u64(name); }
  Term item_class(const std::string& name = "cls") {
    const Term cls = proof_.u32(name);
    proof_.assume(z3::uge(cls, 1) && z3::ule(cls, proof_.number(item_classes, 32)));
    return cls;
  }
  Term bin(const std::string& name = "bin") {
    const Term made = proof_.u32(name);
    proof_.assume(z3::uge(made, 1) && z3::ule(made, proof_.number(last_block, 32)));
    return made;
  }

  Proof& proof() { return proof_; }
  Term number(std::uint64_t value, unsigned bits = 64) { return proof_.number(value, bits); }
  Term run() { return number(last_block + 1, 32); }

  const std::uint32_t item_classes, last_block, class_limit, bins;

 private:
  Proof& proof_;
};

constexpr std::uint64_t segment_bytes = plan::Standard::segment_bytes;
constexpr std::uint64_t chunk_bytes = plan::Standard::chunk_bytes;
constexpr std::uint32_t slots = 8192;
constexpr std::uint32_t chunks = plan::Standard::chunks_per_region;

// What is to be shown of a plan, and the claims that show it.
using Statement = std::pair<const char*, void (*)(Plan&)>;

std::vector<Statement> book_statements();

}  // namespace strata::prove
