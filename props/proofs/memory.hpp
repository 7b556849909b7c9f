// What the code under proof reads and writes: objects, each an array of records.
//
// What a field held at first is a function of the solver, from the record's index to the field's
// bits; a read after writes is a choice between what they wrote and that. A symbolic index costs
// nothing, and one field never gets in the way of another. That objects do not overlap is an
// assumption here, and proved of the real layout (book_obligations.cpp).
#pragma once

#include <z3++.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace strata::prove {

using Term = z3::expr;

// The code does something that the machine has no meaning for.
struct Unsupported : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline constexpr int no_object = -1;
inline constexpr int null_object = 0;

// What an LLVM value stands for.
struct Value {
  Term term;                      // an integer's bits; of a pointer, its offset in bytes
  int object = no_object;         // of a pointer: what it points into
  std::vector<Value> parts = {};  // of an aggregate

  bool is_pointer() const { return object != no_object; }
};

// The shape of an object's records. `bytes` is a power of two.
struct Shape {
  struct Field {
    std::string name;
    unsigned offset;
    unsigned bits;
  };
  std::string name;
  unsigned bytes;
  std::uint64_t count;
  std::vector<Field> fields;
};

// The contents of every object, in one state of one path. Cheap to copy.
class Memory {
 public:
  explicit Memory(z3::context& context) : context_(&context) {}

  // An object whose contents may be anything: an input of the proof.
  void add_records(int object, const Shape& shape);
  // An object of the code itself, at known offsets: a variable, a constant.
  void add_local(int object) { locals_[object]; }

  bool is_local(int object) const { return locals_.contains(object); }
  const Shape& shape(int object) const { return *records_.at(object).shape; }

  // What a field of a record holds, for claims.
  Term field(const Value& object, const std::string& name, const Term& index) const;
  // Makes it hold that, before the code runs.
  void set(const Value& object, const std::string& name, const Term& index, const Term& bits);

  // `offset` is known to lie inside the object.
  Term load(int object, const Term& offset, unsigned bits);
  void store(int object, const Term& offset, const Term& bits);
  // Writes bits(index) to the only field of the `count` records from `first` on.
  void store_range(int object, const Term& first, const Term& count,
                   const std::function<Term(const Term& index)>& bits);

  Value load_local(int object, std::uint64_t offset, unsigned bits) const;
  void store_local(int object, std::uint64_t offset, const Value& value, unsigned bits);
  // An element of a constant table, by an offset that is not known.
  Term look_up(int object, const Term& offset, unsigned bits) const;
  void copy_local(int to, std::uint64_t to_offset, int from, std::uint64_t from_offset,
                  std::uint64_t bytes);

  // The indices of the records that the code read: where claims may need to know an invariant.
  const std::vector<Term>& read(int object) const { return records_.at(object).read; }

  // Whether an access lies inside the records.
  Term inside(int object, const Term& offset) const;

  // Two continuations of `before` become one: this where the condition holds, else the other.
  // false, and nothing is changed, if variables of the code differ in what cannot be one term.
  bool merge(const Term& condition, const Memory& other, const Memory& before);

 private:
  struct Write {
    std::function<Term(const Term& index)> covers;
    std::function<Term(const Term& index)> bits;
  };
  struct Contents {
    z3::func_decl initial;
    std::vector<std::shared_ptr<const Write>> writes;  // in order

    Term read(const Term& index) const;
    void write(const Term& index, const Term& bits);
    // Those of `more` after the first `from` happen only if the condition holds.
    void write_if(const Term& condition, const Contents& more, std::size_t from);
  };
  struct Records {
    const Shape* shape;
    std::vector<Contents> fields;
    std::vector<Term> read;
  };
  struct Cell {
    Value value;
    unsigned bits;
  };

  std::size_t number_of(int object, const std::string& field) const;

  // Calls each(field's contents, index, low bit, bits) for the fields that an access covers.
  template <class Each>
  void cover(Records& records, const Term& offset, unsigned bits, Each each);

  z3::context* context_;
  std::map<int, Records> records_;
  std::map<int, std::map<std::uint64_t, Cell>> locals_;
};

}  // namespace strata::prove
