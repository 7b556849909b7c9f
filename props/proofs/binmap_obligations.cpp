// The bin map: every operation, from any state in which the summary is right.

#include "props/proofs/symbolic_map.hpp"

namespace strata::prove {
namespace {

using Map = SymbolicMap;

Term is_true(const Value& result) { return result.term == result.term.ctx().bv_val(1, 1); }

// A call that changes at most the bits of some word: what of `other`, a witness for all bits?
// then(end) says what becomes of the bits that are meant.
void changes(Proof& proof, Map& map, const std::string& function,
             const std::vector<Term>& arguments, const Term& meant, const Term& other,
             const std::function<void(const End&)>& then) {
  map.assume_right(map.word_of(other));
  const auto known = [&](const End& end) { map.assume_right_where_read(end.memory); };
  proof.after(function, map.arguments(arguments), known, [&](const End& end) {
    proof.claim("no other bit changes",
                meant || map.is_member(end.memory, other) == map.is_member(proof.memory(), other));
    proof.claim("the summary is right", map.is_right(end.memory, map.word_of(other)));
    then(end);
  });
}

void put(Proof& proof, Map map) {
  const Term index = map.index("index");
  const Term other = map.index("other");
  changes(proof, map, "binmap_put", {index}, other == index, other, [&](const End& end) {
    proof.claim("the bit is set", map.is_member(end.memory, index));
    proof.claim("it reports a double free, and only that",
                is_true(end.result) == !map.is_member(proof.memory(), index));
  });
}

void take(Proof& proof, Map map) {
  const Term index = map.index("index");
  const Term other = map.index("other");
  changes(proof, map, "binmap_take", {index}, other == index, other, [&](const End& end) {
    proof.claim("the bit is clear", !map.is_member(end.memory, index));
    proof.claim("it says whether it was set",
                is_true(end.result) == map.is_member(proof.memory(), index));
  });
}

void put_two(Proof& proof, Map map) {
  const Term a = map.index("a");
  const Term b = map.index("b");
  const Term other = map.index("other");
  map.assume_right(map.word_of(a));
  map.assume_right(map.word_of(b));
  const Term meant = other == a || other == b;
  changes(proof, map, "binmap_put_two", {a, b}, meant, other, [&](const End& end) {
    const Memory& before = proof.memory();
    proof.claim("the bits are set", map.is_member(end.memory, a) && map.is_member(end.memory, b));
    proof.claim(
        "it reports the double frees, and only those",
        end.result.term.extract(0, 0) ==
                z3::ite(map.is_member(before, a), proof.number(0, 1), proof.number(1, 1)) &&
            end.result.term.extract(1, 1) == z3::ite(map.is_member(before, b) || a == b,
                                                     proof.number(0, 1), proof.number(1, 1)));
  });
}

void set_word(Proof& proof, Map map) {
  const Term w = map.word_index("w");
  const Term value = proof.u64("value");
  const Term other = map.index("other");
  changes(
      proof, map, "binmap_set_word", {w, value}, map.word_of(other) == w, other,
      [&](const End& end) { proof.claim("the word is set", map.word(end.memory, w) == value); });
}

// --- Queries: what they find, and that no bit, for which `other` stands, was missed

void query(Proof& proof, Map& map, const std::string& function, const std::vector<Term>& arguments,
           const std::function<void(const End&, const Term& other)>& then) {
  const Term other = map.index("other");
  map.assume_right(map.word_of(other));
  const auto known = [&](const End& end) { map.assume_right_where_read(end.memory); };
  proof.after(function, map.arguments(arguments), known, [&](const End& end) {
    proof.claim("nothing changes", map.word(end.memory, map.word_of(other)) ==
                                           map.word(proof.memory(), map.word_of(other)) &&
                                       map.is_right(end.memory, map.word_of(other)));
    then(end, other);
  });
}

// Finds an extreme member: in the words of the contract, which is assumed of calls elsewhere.
void finds(Proof& proof, Map& map, const std::string& function, const std::vector<Term>& arguments,
           const Extreme& extreme) {
  query(proof, map, function, arguments, [&](const End& end, const Term& other) {
    const Memory& before = proof.memory();
    const Term found = end.result.term;
    const auto is_member = [&](const Term& index) {
      return z3::ult(index, map.bits()) && map.is_member(before, index);
    };
    proof.claim("what it finds is such a member", extreme.is_such(found, is_member(found)));
    proof.claim("it finds one if there is one, and none lies beyond",
                extreme.is_extreme(found, other, is_member(other)));
  });
}

void first(Proof& proof, Map map) {
  finds(proof, map, "binmap_first", {}, {true, proof.number(0, 32)});
}

void first_from(Proof& proof, Map map) {
  const Term from = proof.u32("index");
  finds(proof, map, "binmap_first_from", {from}, {true, from});
}

void last_before(Proof& proof, Map map) {
  const Term end = proof.u32("index");
  finds(proof, map, "binmap_last_before", {end}, {false, end});
}

void test(Proof& proof, Map map) {
  const Term index = map.index("index");
  query(proof, map, "binmap_test", {index}, [&](const End& end, const Term&) {
    proof.claim("it says whether the bit is set",
                is_true(end.result) == map.is_member(proof.memory(), index));
  });
}

void summary_test(Proof& proof, Map map) {
  const Term w = map.word_index("w");
  map.assume_right(w);
  query(proof, map, "binmap_summary_test", {w}, [&](const End& end, const Term&) {
    proof.claim("it says whether the word has a member",
                is_true(end.result) == (map.word(proof.memory(), w) != 0));
  });
}

void empty(Proof& proof, Map map, std::uint64_t summary_words) {
  query(proof, map, "binmap_empty", {}, [&](const End& end, const Term& other) {
    Term some = proof.truth(false);
    for (std::uint64_t s = 0; s < summary_words; ++s) {
      some = some || map.summary(proof.memory(), proof.number(s, 32)) != 0;
    }
    proof.claim("an empty one has no member",
                z3::implies(is_true(end.result), !map.is_member(proof.memory(), other)));
    proof.claim("one that is not names a word that has", is_true(end.result) == !some);
  });
}

void first_word(Proof& proof, Map map) {
  const Term member = map.index("member");
  proof.assume(map.is_member(proof.memory(), member));  // the precondition: not empty
  map.assume_right(map.word_of(member));
  query(proof, map, "binmap_first_word", {}, [&](const End& end, const Term& other) {
    const Term w = end.result.term;
    map.assume_right(w);
    proof.claim("it has a member",
                z3::ult(w, map.word_of(map.bits())) && map.word(proof.memory(), w) != 0);
    proof.claim("no word before it has",
                z3::implies(map.is_member(proof.memory(), other), z3::ule(w, map.word_of(other))));
  });
}

// Spans of up to 256 bits: the items of a page.
void test_all(Proof& proof, Map map) {
  const Term first = map.index("first");
  const Term last = map.index("last");
  proof.assume(z3::ule(first, last) && z3::ult(last - first, 256));
  query(proof, map, "binmap_test_all", {first, last}, [&](const End& end, const Term& other) {
    const Memory& before = proof.memory();
    proof.claim("if it holds, each one is a member",
                z3::implies(is_true(end.result) && z3::ule(first, other) && z3::ule(other, last),
                            map.is_member(before, other)));
    // If not, one of the words looked at lacks a bit of the span.
    Term lacking = proof.truth(false);
    for (const Term& read : map.words_read(end.memory)) {
      const Term w = read.extract(31, 0);
      const Term start = z3::shl(w, 6);
      const Term from = z3::ite(z3::ugt(first, start), first - start, proof.number(0, 32));
      const Term to = z3::ite(z3::ult(last, start + 63), last - start, proof.number(63, 32));
      const Term span = z3::lshr(z3::shl(proof.number(~0ULL), z3::zext(from + 63 - to, 32)),
                                 z3::zext(proof.number(63, 32) - to, 32));
      lacking = lacking || (map.word(before, w) & span) != span;
    }
    proof.claim("if not, one is not", is_true(end.result) || lacking);
  });
}

// --- Whole maps, of the sizes that the allocator has

void fill_or_clear(Proof& proof, Map map, bool fill, std::uint64_t bits) {
  const Term other = map.index("other");
  const Term w = map.word_of(other);
  const Term end_bit = proof.number(bits, 32);
  const Term end_word = proof.number((bits + 63) / 64, 32);
  proof.after(fill ? "binmap_fill" : "binmap_clear", map.arguments({end_bit}), [&](const End& end) {
    proof.claim(
        "each word of the map has its members, and no other",
        z3::implies(z3::ult(w, end_word), map.is_member(end.memory, other) ==
                                              (proof.truth(fill) && z3::ult(other, end_bit))));
    proof.claim("the summary names its words, and no others",
                map.summary_bit(end.memory, w) == (proof.truth(fill) && z3::ult(w, end_word)));
    proof.claim("words beyond are left alone",
                z3::ult(w, end_word) || map.word(end.memory, w) == map.word(proof.memory(), w));
  });
}

// --- The list in a map

// A link is `link_bits` wide; its largest value means none.
class List {
 public:
  List(Proof& proof, Map& map, unsigned link_bits)
      : proof_(proof),
        map_(map),
        head_(proof.records({"head", link_bits / 8, 1, {{"link", 0, link_bits}}})),
        links_(proof.records({"links", link_bits / 8, 8192, {{"link", 0, link_bits}}})),
        none_(proof.number(link_bits == 32 ? 0xFFFF'FFFF : 0xFFFF, 32)) {}

  Proof::Arguments arguments(const Term& index) const {
    Proof::Arguments all = map_.arguments({});
    all.insert(all.end(), {head_, links_, {index}});
    return all;
  }
  Term next(const Memory& memory, const Term& at) const {
    return wide(memory.field(links_, "link", z3::zext(at, 32)));
  }
  Term head(const Memory& memory) const {
    return wide(memory.field(head_, "link", proof_.number(0)));
  }

  // A link names the first member after `after`, of which `witness` stands for all.
  Term leads(const Memory& memory, const Term& link, const Term& is_after,
             const std::function<Term(const Term&)>& after, const Term& witness) const {
    const Term passed = map_.is_member(memory, witness) && after(witness);
    return z3::implies(is_after,
                       z3::ite(link == none_, !passed,
                               z3::ult(link, map_.bits()) && map_.is_member(memory, link) &&
                                   after(link) && !(passed && z3::ult(witness, link))));
  }
  // The invariant, at a member and a witness: of the head, and of the member's link.
  Term is_right(const Memory& memory, const Term& member, const Term& witness) const {
    return leads(
               memory, head(memory), proof_.truth(true),
               [&](const Term&) { return proof_.truth(true); }, witness) &&
           leads(
               memory, next(memory, member), map_.is_member(memory, member),
               [&](const Term& at) { return z3::ugt(at, member); }, witness);
  }

  const std::vector<Term>& read(const Memory& memory) const { return memory.read(links_.object); }

 private:
  static Term wide(const Term& link) {
    const unsigned bits = link.get_sort().bv_size();
    return bits == 32 ? link : z3::zext(link, 32 - bits);
  }

  Proof& proof_;
  Map& map_;
  Value head_, links_;
  Term none_;
};

void list_changes(Proof& proof, Map map, unsigned link_bits, bool insert) {
  List list(proof, map, link_bits);
  const Memory& before = proof.memory();
  const Term index = map.index("index");
  const Term member = map.index("member");
  const Term witness = map.index("witness");
  proof.assume(map.is_member(before, index) == proof.truth(!insert));  // the precondition
  const std::string function =
      std::string(insert ? "list_insert_" : "list_remove_") + std::to_string(link_bits);
  // The invariants at every place that the code or a claim looks at, and where their links lead.
  const auto known = [&](const End& end) {
    std::vector<Term> places = {index, member, witness};
    for (const Term& read : list.read(end.memory)) {
      places.push_back(read.extract(31, 0));
    }
    map.assume_right_where_read(end.memory);
    map.assume_right(map.word_of(list.head(before)));
    for (const Term& place : places) {
      map.assume_right(map.word_of(place));
      map.assume_right(map.word_of(list.next(before, place)));
      for (const Term& other : places) {
        proof.assume(list.is_right(before, place, other));
      }
    }
  };
  proof.after(function, list.arguments(index), known, [&](const End& end) {
    proof.claim("the list is in order and whole", list.is_right(end.memory, member, witness));
    proof.claim("the summary is right", map.is_right(end.memory, map.word_of(witness)));
    proof.claim(
        "no other member comes or goes",
        witness == index || map.is_member(end.memory, witness) == map.is_member(before, witness));
    proof.claim("it has come or gone", map.is_member(end.memory, index) == proof.truth(insert));
    if (!insert) {
      proof.claim("a dead link is zero", list.next(end.memory, index) == 0);
    }
  });
}

std::string list_name(bool insert) {
  return std::string("list ") + (insert ? "insert" : "remove") + ", links of ";
}

}  // namespace

std::vector<Obligation> binmap_obligations() {
  std::vector<Obligation> all;
  using Operation = std::pair<const char*, void (*)(Proof&, Map)>;
  for (const auto& [name, state] : {Operation{"put", put},
                                    {"take", take},

                                    {"set_word", set_word},
                                    {"first", first},
                                    {"first_from", first_from},
                                    {"last_before", last_before},
                                    {"test", test},
                                    {"summary_test", summary_test},
                                    {"first_word", first_word}}) {
    for (const std::uint64_t n : {1U, 2U, 4U}) {
      if (state == last_before && n == 4) {
        continue;  // asked of lists only, and those are of regions and of segments
      }
      all.push_back({std::string(name) + ", " + std::to_string(4096 * n) + " bits",
                     [n, state = state](Proof& proof) { state(proof, Map(proof, n)); }});
    }
  }
  for (const std::uint64_t n : {1U, 2U, 4U}) {
    all.push_back({"empty, " + std::to_string(4096 * n) + " bits",
                   [n](Proof& proof) { empty(proof, Map(proof, n), n); }});
  }
  all.push_back({"two puts in a row, 4096 bits", [](Proof& proof) { put_two(proof, {proof, 1}); }});
  all.push_back(
      {"test_all, up to 256 of 4096 bits", [](Proof& proof) { test_all(proof, {proof, 1}); }});
  // A chunk's items in a few classes of either plan, a region's chunks, a segment's blocks.
  for (const std::uint64_t bits : {2U, 5U, 819U, 4096U, 512U, 16384U}) {
    for (const bool fill : {true, false}) {
      all.push_back(
          {(fill ? "fill " : "clear ") + std::to_string(bits) + " bits", [=](Proof& proof) {
             fill_or_clear(proof, Map(proof, (bits + 4095) / 4096), fill, bits);
           }});
    }
  }
  for (const bool insert : {true, false}) {
    all.push_back({list_name(insert) + "16 bits, 4096 bits",
                   [=](Proof& proof) { list_changes(proof, Map(proof, 1), 16, insert); }});
  }
  return all;
}

std::vector<Obligation> list_obligations() {
  std::vector<Obligation> all;
  for (const bool insert : {true, false}) {
    all.push_back({list_name(insert) + "32 bits, 8192 bits",
                   [=](Proof& proof) { list_changes(proof, Map(proof, 2), 32, insert); }});
  }
  return all;
}

}  // namespace strata::prove
