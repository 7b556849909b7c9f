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

void Proof::claim(const std::string& what, const Term& holds) {
  claims_.push_back({what, z3::implies(path_, holds).simplify(), known_, false});
}

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
      claims_.push_back({"never " + end.trap, !path_, known_, true});
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
    merged = first ? end.result.term : z3::ite(end.condition, end.result.term, merged);
    first = false;
  });
  if (first) {
    throw Unsupported(function + " never returns");
  }
  return merged.simplify();
}

}  // namespace strata::prove
