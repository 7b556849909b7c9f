// How a proof is written: inputs, what may be assumed of them, calls of the code, claims.
#pragma once

#include <deque>
#include <functional>

#include "props/proofs/machine.hpp"

namespace strata::prove {

class Proof {
 public:
  struct Claim {
    std::string what;
    Term holds;      // on every path, where what is known of the path is so
    bool is_safety;  // the code runs to its end: no undefined behaviour, no failing assertion
  };

  explicit Proof(Machine& machine)
      : machine_(machine),
        context_(machine.context()),
        memory_(context_),
        path_(number(1, 1) == 1) {}

  // --- Inputs: any value at all ----------------------------------------------------------------
  Term input(const std::string& name, unsigned bits);
  Term u16(const std::string& name) { return input(name, 16); }
  Term u32(const std::string& name) { return input(name, 32); }
  Term u64(const std::string& name) { return input(name, 64); }
  // An object of which every byte may be anything; a pointer to its start.
  Value records(Shape shape);
  // A variable of the code: pointers and numbers of whole bytes, one after the other.
  Value variable(const std::vector<Value>& members);
  Value null() { return {number(0), null_object}; }
  void add_maps(const MapShape& shape) { machine_.add_maps(shape); }
  void look_at(const MapTerms& map, const Term& index) {
    machine_.look_at({map.shape().words.object, map.number(), index});
  }
  // Makes it hold of the first state.
  void set(const Value& object, const std::string& field, const Term& index, const Term& bits) {
    memory_.set(object, field, index, bits);
  }

  Term number(std::uint64_t value, unsigned bits = 64) { return context_.bv_val(value, bits); }
  Term truth(bool holds) { return context_.bool_val(holds); }
  // Of all inputs; in a call's known() or then(), for the claims of that path.
  void assume(const Term& holds) { (in_path_ ? known_ : assumptions_).push_back(holds); }

  // --- Calls -----------------------------------------------------------------------------------
  using Arguments = std::vector<Value>;
  // The result of a function that only computes.
  Term value(const std::string& function, const Arguments& arguments);
  using Then = std::function<void(const End&)>;
  // Runs a function and calls then(end) for every path that returns: what is claimed there is
  // claimed under that path's condition. Before that, and for paths that end in a trap too,
  // known(end) may assume what holds of every state, at the places that the path looked at.
  void after(const std::string& function, const Arguments& arguments, const Then& known,
             const Then& then);
  void after(const std::string& function, const Arguments& arguments, const Then& then) {
    after(function, arguments, [](const End&) {}, then);
  }

  void claim(const std::string& what, const Term& holds);

  const Memory& memory() const { return memory_; }
  const std::vector<Term>& assumptions() const { return assumptions_; }
  const std::vector<Claim>& claims() const { return claims_; }
  const std::vector<std::pair<std::string, Term>>& inputs() const { return inputs_; }

 private:
  void add(const std::string& what, const Term& holds, bool is_safety);
  Term known_of_path();

  Machine& machine_;
  z3::context& context_;
  Memory memory_;
  Term path_;  // the condition under which claims are made
  bool in_path_ = false;
  std::vector<Term> known_;  // of the path
  std::deque<Shape> shapes_;
  std::vector<Term> assumptions_;
  std::vector<Claim> claims_;
  std::vector<std::pair<std::string, Term>> inputs_;
};

// One thing to prove. `build` must do the same each time: it is run again for each planted bug.
struct Obligation {
  std::string name;
  std::function<void(Proof&)> build;
};

std::vector<Obligation> pow2_obligations();
std::vector<Obligation> quarter_obligations();
std::vector<Obligation> binmap_obligations();
std::vector<Obligation> list_obligations();
std::vector<Obligation> chunk_obligations();
std::vector<Obligation> item_obligations();
std::vector<Obligation> move_obligations();
std::vector<Obligation> block_obligations();
std::vector<Obligation> segment_obligations();

}  // namespace strata::prove
