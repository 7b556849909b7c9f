#include "props/proofs/proof.hpp"

namespace strata::prove {

Term Proof::input(const std::string& name, unsigned bits) {
  Term made = context_.bv_const(name.c_str(), bits);
  inputs_.emplace_back(name, made);
  return made;
}

Value Proof::records(Shape shape) {
  const int object = machine_.new_object();
  shapes_.push_back(std::move(shape));
  memory_.add_records(object, shapes_.back());
  return {number(0), object};
}

Value Proof::variable(const std::vector<Value>& members) {
  const int object = machine_.new_object();
  memory_.add_local(object);
  std::uint64_t offset = 0;
  for (const Value& member : members) {
    const unsigned bits = member.term.get_sort().bv_size();
    memory_.store_local(object, offset, member, bits);
    offset += bits / 8;
  }
  return {number(0), object};
}

// Claims of one name on several paths are one claim.
void Proof::add(const std::string& what, const Term& holds, bool is_safety) {
  const Term seen = holds.simplify();
  const Term claimed = seen.is_true() ? seen : z3::implies(known_of_path(), seen);
  for (Claim& claim : claims_) {
    if (claim.what == what) {
      claim.holds = claim.holds.is_true() ? claimed : claim.holds && claimed;
      return;
    }
  }
  claims_.push_back({what, claimed, is_safety});
}

Term Proof::known_of_path() {
  z3::expr_vector all(context_);
  all.push_back(path_);
  for (const Term& each : known_) {
    all.push_back(each);
  }
  return z3::mk_and(all);
}

void Proof::claim(const std::string& what, const Term& holds) { add(what, holds, false); }

void Proof::after(const std::string& function, const Arguments& arguments, const Then& known,
                  const Then& then) {
  if (in_path_) {
    throw Unsupported("a call after a call");
  }
  in_path_ = true;
  for (const End& end : machine_.call(function, arguments, memory_, assumptions_)) {
    path_ = end.condition;
    known_.clear();
    known(end);
    if (end.trap.empty()) {
      then(end);
    } else {
      add("never " + end.trap, truth(false), true);
    }
  }
  in_path_ = false;
  known_.clear();
  path_ = truth(true);
}

// One term for all paths.
Term Proof::value(const std::string& function, const Arguments& arguments) {
  Term merged(context_);
  bool first = true;
  after(function, arguments, [&](const End& end) {
    if (!end.facts.empty()) {
      throw Unsupported(function + " is more than a computation");
    }
    merged = first ? end.result.term : z3::ite(end.condition, end.result.term, merged);
    first = false;
  });
  if (first) {
    throw Unsupported(function + " never returns");
  }
  return merged.simplify();
}

}  // namespace strata::prove
