#include "props/proofs/memory.hpp"

#include <algorithm>
#include <bit>

namespace strata::prove {

Term Memory::Contents::read(const Term& index) const {
  Term found = initial(index);
  for (const auto& write : writes) {
    const Term covered = write->covers(index).simplify();
    if (!covered.is_false()) {
      found = covered.is_true() ? write->bits(index) : z3::ite(covered, write->bits(index), found);
    }
  }
  return found;
}

void Memory::Contents::write(const Term& index, const Term& bits) {
  writes.push_back(std::make_shared<const Write>([index](const Term& at) { return at == index; },
                                                 [bits](const Term&) { return bits; }));
}

void Memory::Contents::write_if(const Term& condition, const Contents& more, std::size_t from) {
  for (std::size_t i = from; i < more.writes.size(); ++i) {
    const auto write = more.writes[i];
    writes.push_back(std::make_shared<const Write>(
        [condition, write](const Term& at) { return condition && write->covers(at); },
        write->bits));
  }
}

void Memory::add_records(int object, const Shape& shape) {
  Records records{&shape, {}, {}};
  for (const Shape::Field& field : shape.fields) {
    const std::string name = shape.name + "." + field.name;
    records.fields.push_back(
        {context_->function(name.c_str(), context_->bv_sort(64), context_->bv_sort(field.bits)),
         {}});
  }
  records_.emplace(object, std::move(records));
}

std::size_t Memory::number_of(int object, const std::string& field) const {
  const Shape& shape = *records_.at(object).shape;
  for (std::size_t i = 0; i < shape.fields.size(); ++i) {
    if (shape.fields[i].name == field) {
      return i;
    }
  }
  throw Unsupported(shape.name + " has no field " + field);
}

Term Memory::field(const Value& object, const std::string& name, const Term& index) const {
  return records_.at(object.object).fields[number_of(object.object, name)].read(index);
}

void Memory::set(const Value& object, const std::string& name, const Term& index,
                 const Term& bits) {
  records_.at(object.object).fields[number_of(object.object, name)].write(index, bits);
}

void Memory::store_range(int object, const Term& first, const Term& count,
                         const std::function<Term(const Term& index)>& bits) {
  records_.at(object).fields.at(0).writes.push_back(std::make_shared<const Write>(
      [first, count](const Term& at) { return z3::ult(at - first, count); }, bits));
}

bool Memory::merge(const Term& condition, const Memory& other, const Memory& before) {
  if (locals_.size() != other.locals_.size()) {
    return false;
  }
  for (const auto& [object, cells] : locals_) {
    const auto& others = other.locals_.at(object);
    const bool same = std::ranges::equal(cells, others, [](const auto& a, const auto& b) {
      return a.first == b.first && a.second.bits == b.second.bits &&
             a.second.value.object == b.second.value.object &&
             z3::eq(a.second.value.term, b.second.value.term);
    });
    if (!same) {
      return false;
    }
  }
  for (auto& [object, records] : records_) {
    const Records& theirs = other.records_.at(object);
    for (std::size_t i = 0; i < records.fields.size(); ++i) {
      const std::size_t common = before.records_.at(object).fields[i].writes.size();
      const Contents mine = records.fields[i];
      records.fields[i].writes.resize(common);
      records.fields[i].write_if(condition, mine, common);
      records.fields[i].write_if(!condition, theirs.fields[i], common);
    }
    records.read.insert(records.read.end(), theirs.read.begin(), theirs.read.end());
  }
  return true;
}

Term Memory::inside(int object, const Term& offset) const {
  const Shape& shape = *records_.at(object).shape;
  return z3::ult(offset, context_->bv_val(shape.count * shape.bytes, 64)).simplify();
}

template <class Each>
void Memory::cover(Records& records, const Term& offset, unsigned bits, Each each) {
  const Shape& shape = *records.shape;
  const auto shift = static_cast<unsigned>(std::countr_zero(shape.bytes));
  std::uint64_t at = 0;
  if (shift != 0 && !offset.extract(shift - 1, 0).simplify().is_numeral_u64(at)) {
    throw Unsupported("an access to " + shape.name + " names no field: " + offset.to_string());
  }
  const Term index = z3::lshr(offset, context_->bv_val(shift, 64)).simplify();
  unsigned done = 0;
  while (done < bits) {
    const unsigned before = done;
    for (std::size_t i = 0; i < shape.fields.size(); ++i) {
      const Shape::Field& field = shape.fields[i];
      if (field.offset == at + done / 8 && field.bits <= bits - done) {
        each(records.fields[i], index, done, field.bits);
        done += field.bits;
        break;
      }
    }
    if (done == before) {
      throw Unsupported("an access to part of a field of " + shape.name);
    }
  }
}

Term Memory::load(int object, const Term& offset, unsigned bits) {
  Term loaded(*context_);
  Records& records = records_.at(object);
  cover(records, offset, bits,
        [&](const Contents& field, const Term& index, unsigned low, unsigned) {
          const Term part = field.read(index);
          records.read.push_back(index);
          loaded = low == 0 ? part : z3::concat(part, loaded);
        });
  return loaded.simplify();
}

void Memory::store(int object, const Term& offset, const Term& value) {
  cover(records_.at(object), offset, value.get_sort().bv_size(),
        [&](Contents& field, const Term& index, unsigned low, unsigned bits) {
          field.write(index, value.extract(low + bits - 1, low).simplify());
        });
}

// The cells of a local are what was stored; a load of part of one, or of several, puts it together.
Value Memory::load_local(int object, std::uint64_t offset, unsigned bits) const {
  const auto& cells = locals_.at(object);
  auto at = cells.upper_bound(offset);
  if (at == cells.begin()) {
    throw Unsupported("a load of what was never stored");
  }
  --at;
  if (at->first == offset && at->second.bits == bits) {
    return at->second.value;
  }
  Term loaded(*context_);
  unsigned done = 0;
  for (; done < bits; ++at) {
    const std::uint64_t begin = offset + done / 8;
    if (at == cells.end() || at->first > begin || at->second.value.is_pointer() ||
        at->first + at->second.bits / 8 <= begin) {
      throw Unsupported("a load of what was never stored, or of part of a pointer");
    }
    const auto low = static_cast<unsigned>(8 * (begin - at->first));
    const unsigned count = std::min(at->second.bits - low, bits - done);
    const Term part = at->second.value.term.extract(low + count - 1, low);
    loaded = done == 0 ? part : z3::concat(part, loaded);
    done += count;
  }
  return {loaded.simplify(), no_object};
}

Term Memory::look_up(int object, const Term& offset, unsigned bits) const {
  Term found = context_->bv_val(0, bits);
  for (const auto& [at, cell] : locals_.at(object)) {
    if (cell.bits != bits || cell.value.is_pointer()) {
      throw Unsupported("a table whose elements are not all alike");
    }
    found = z3::ite(offset == context_->bv_val(at, 64), cell.value.term, found);
  }
  return found;
}

void Memory::copy_local(int to, std::uint64_t to_offset, int from, std::uint64_t from_offset,
                        std::uint64_t bytes) {
  const auto cells = locals_.at(from);
  for (auto at = cells.lower_bound(from_offset);
       at != cells.end() && at->first < from_offset + bytes; ++at) {
    store_local(to, to_offset + (at->first - from_offset), at->second.value, at->second.bits);
  }
}

void Memory::store_local(int object, std::uint64_t offset, const Value& value, unsigned bits) {
  auto& cells = locals_.at(object);
  const std::uint64_t end = offset + (bits + 7) / 8;
  // What the store covers goes; what it cuts keeps its rest.
  for (auto at = cells.begin(); at != cells.end();) {
    const std::uint64_t cell_end = at->first + (at->second.bits + 7) / 8;
    if (at->first >= end || cell_end <= offset) {
      ++at;
      continue;
    }
    const Cell old = at->second;
    const std::uint64_t begin = at->first;
    at = cells.erase(at);
    if ((begin < offset || cell_end > end) && old.value.is_pointer()) {
      throw Unsupported("a store over part of a pointer");
    }
    if (begin < offset) {
      const auto rest = static_cast<unsigned>(8 * (offset - begin));
      cells.insert_or_assign(begin, Cell{{old.value.term.extract(rest - 1, 0), no_object}, rest});
    }
    if (cell_end > end) {
      const auto low = static_cast<unsigned>(8 * (end - begin));
      cells.insert_or_assign(
          end, Cell{{old.value.term.extract(old.bits - 1, low), no_object}, old.bits - low});
    }
  }
  cells.insert_or_assign(offset, Cell{value, bits});
}

}  // namespace strata::prove
