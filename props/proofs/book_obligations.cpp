// The layout of the books, at its real size: no two records, sets or maps share a byte.

#include "props/proofs/plan_view.hpp"

namespace strata::prove {
namespace {

constexpr std::uint32_t areas = 11;

void areas_are_apart(Plan& plan) {
  const Term segments = plan.proof().u32("segments");
  plan.proof().assume(segments != 0 && z3::ule(segments, plan::Pow2::segments_max));
  const auto at = [&](std::uint32_t area) {
    return plan.call("layout_offset", {segments, plan.number(area, 32)});
  };
  for (std::uint32_t area = 0; area < areas; ++area) {
    const Term bytes = plan.call("layout_bytes", {segments, plan.number(area, 32)});
    plan.proof().claim("area " + std::to_string(area) + " ends before the next begins",
                       z3::ule(at(area) + bytes, at(area + 1)) && z3::ule(at(area), at(area + 1)));
  }
  plan.proof().claim("the space is whole pages", (at(areas) & 4095) == 0);
}

void areas_are_aligned(Plan& plan) {
  const Term segments = plan.proof().u32("segments");
  plan.proof().assume(segments != 0 && z3::ule(segments, plan::Pow2::segments_max));
  for (std::uint32_t area = 0; area <= areas; ++area) {
    const std::uint64_t align = area < 6 ? 8 : 4096;  // the control page's parts, then pages
    const Term at = plan.call("layout_offset", {segments, plan.number(area, 32)});
    plan.proof().claim("area " + std::to_string(area), (at & plan.number(align - 1)) == 0);
  }
}

// The addresses that the books' accessors give, as offsets into the three spaces.
class Accessors {
 public:
  explicit Accessors(Plan& plan) : plan_(plan) {
    for (const char* name : {"control", "books", "item_map"}) {
      spaces_.push_back(plan.proof().records({name, 1, std::uint64_t{1} << 40, {{"byte", 0, 8}}}));
    }
  }

  Term slot(const std::string& name) { return below(name, slots); }
  Term chunk(const std::string& name, std::uint32_t first = 0, std::uint32_t end = chunks) {
    const Term made = below(name, end);
    plan_.proof().assume(z3::uge(made, plan_.number(first, 32)));
    return made;
  }
  Term below(const std::string& name, std::uint32_t end) {
    const Term made = plan_.proof().u32(name);
    plan_.proof().assume(z3::ult(made, plan_.number(end, 32)));
    return made;
  }

  // The offset, in the space that it must be in.
  Term at(const std::string& function, int space, const std::vector<Term>& arguments) {
    Proof::Arguments all = spaces_;
    for (const Term& each : arguments) {
      all.push_back({each});
    }
    Term offset(plan_.proof().number(0));
    plan_.proof().after(function, all, [&](const End& end) {
      plan_.proof().claim(function + " points into its space",
                          plan_.proof().truth(end.result.object ==
                                              spaces_[static_cast<std::size_t>(space)].object));
      offset = z3::ite(end.condition, end.result.term, offset);
    });
    return offset.simplify();
  }

 private:
  Plan& plan_;
  std::vector<Value> spaces_;
};

Term apart(const Term& a, std::uint64_t a_bytes, const Term& b, std::uint64_t b_bytes) {
  return z3::ule(a + a.ctx().bv_val(a_bytes, 64), b) || z3::ule(b + b.ctx().bv_val(b_bytes, 64), a);
}

// Any chunk, and where something of it lies that no other chunk's overlaps.
struct OfChunk {
  Term slot, chunk, at;
};
OfChunk of_chunk(Accessors& books, Plan& plan, const std::string& function, int space,
                 std::uint64_t bytes, const std::string& claim, std::uint32_t first = 0,
                 std::uint32_t end = chunks) {
  const Term slot = books.slot("slot");
  const Term chunk = books.chunk("chunk", first, end);
  const Term other_slot = books.slot("other slot");
  const Term other_chunk = books.chunk("other chunk", first, end);
  const Term a = books.at(function, space, {slot, chunk});
  const Term b = books.at(function, space, {other_slot, other_chunk});
  plan.proof().claim(claim,
                     (slot == other_slot && chunk == other_chunk) || apart(a, bytes, b, bytes));
  return {slot, chunk, a};
}

// A book: the sets of chunks, the maps of the first chunks, the records of all, the sets of blocks.
constexpr int book_bytes = 0x8000, chunk_sets_end = 160;
constexpr int near_chunks = 6;
constexpr int near_maps_end = chunk_sets_end + near_chunks * 512;
constexpr int records_end = near_maps_end + 512 * 32;

void chunk_records_are_apart(Plan& plan) {
  Accessors books(plan);
  const auto [slot, chunk, a] =
      of_chunk(books, plan, "books_chunk", 1, 32, "two records share no byte");
  const Term in_book = a & (book_bytes - 1);
  plan.proof().claim("inside the slot's book, behind the maps",
                     z3::lshr(a, 15) == z3::zext(slot, 32) && z3::uge(in_book, near_maps_end) &&
                         z3::ule(in_book, records_end - 32));
}

// Two sets of so many words and summary words, which lie from `begin` to `end` in the book.
void sets_are_apart(Plan& plan, const char* one, const char* other, std::uint64_t words,
                    std::uint64_t summary_words, int begin, int end) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  std::vector<std::pair<Term, std::uint64_t>> parts;
  for (const char* set : {one, other}) {
    parts.emplace_back(books.at(set, 1, {slot, plan.number(0, 1)}), 8 * words);
    parts.emplace_back(books.at(set, 1, {slot, plan.number(1, 1)}), 8 * summary_words);
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& [at, bytes] = parts[i];
    const Term in_book = at & (book_bytes - 1);
    plan.proof().claim("part " + std::to_string(i) + " is where the slot's book has its sets",
                       z3::lshr(at, 15) == z3::zext(slot, 32) && z3::uge(in_book, begin) &&
                           z3::ule(in_book + plan.number(bytes), end));
    for (std::size_t k = 0; k < i; ++k) {
      plan.proof().claim("two parts share no byte",
                         apart(parts[k].first, parts[k].second, at, bytes));
    }
  }
}

void chunk_sets_are_apart(Plan& plan) {
  sets_are_apart(plan, "books_free_chunks", "books_partial_chunks", 8, 1, 0, chunk_sets_end);
}
void block_sets_are_apart(Plan& plan) {
  sets_are_apart(plan, "books_free_blocks", "books_dirty_blocks", 256, 4, records_end, book_bytes);
}

void near_item_maps_are_apart(Plan& plan) {
  Accessors books(plan);
  const auto [slot, chunk, a] = of_chunk(books, plan, "books_items", 1, 512,
                                         "two chunks' maps share no byte", 0, near_chunks);
  const Term in_book = a & (book_bytes - 1);
  plan.proof().claim("inside the slot's book, between the sets and the records",
                     z3::lshr(a, 15) == z3::zext(slot, 32) && z3::uge(in_book, chunk_sets_end) &&
                         z3::ule(in_book, near_maps_end - 512));
}

void item_maps_are_apart(Plan& plan) {
  Accessors books(plan);
  const auto [slot, chunk, a] =
      of_chunk(books, plan, "books_items", 2, 512, "two chunks' maps share no byte", near_chunks);
  plan.proof().claim("inside the space", z3::ule(a, (std::uint64_t{2} << 30) - 512));
}

void item_map_summaries(Plan& plan) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  const Term chunk = books.chunk("chunk");
  plan.proof().claim("a map's summary is the first word of its chunk's record",
                     books.at("books_items_summary", 1, {slot, chunk}) ==
                         books.at("books_chunk", 1, {slot, chunk}));
}

void region_records_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term slot = books.slot("slot");
  const Term other = books.slot("other slot");
  const Term a = books.at("books_region", 0, {slot});
  const Term b = books.at("books_region", 0, {other});
  const Term segments = plan.number(256, 32);
  const Term begin = plan.call("layout_offset", {segments, plan.number(9, 32)});
  plan.proof().claim("two records share no byte", slot == other || apart(a, 32, b, 32));
  plan.proof().claim("inside the area of regions",
                     z3::uge(a, begin) && z3::ule(a + 32, begin + plan.number(32ULL * slots)));
}

void bin_sets_are_apart(Plan& plan) {
  Accessors books(plan);
  const Term bin = books.below("bin", plan.bins);
  const Term other = books.below("other bin", plan.bins);
  const Term yes = plan.number(1, 1);
  const Term no = plan.number(0, 1);
  const Term words = books.at("books_bin_set", 0, {bin, no});
  const Term summary = books.at("books_bin_set", 0, {bin, yes});
  const Term other_words = books.at("books_bin_set", 0, {other, no});
  const Term other_summary = books.at("books_bin_set", 0, {other, yes});
  const Term segments = plan.number(256, 32);
  const Term begin = plan.call("layout_offset", {segments, plan.number(10, 32)});
  const Term end = plan.call("layout_offset", {segments, plan.number(areas, 32)});
  plan.proof().claim("a set and its summary share no byte", apart(words, 1024, summary, 16));
  plan.proof().claim("two bins' sets share no byte",
                     bin == other || (apart(words, 1024, other_words, 1024) &&
                                      apart(words, 1024, other_summary, 16) &&
                                      apart(summary, 16, other_summary, 16)));
  plan.proof().claim("inside the area of sets", z3::uge(words, begin) && z3::uge(summary, begin) &&
                                                    z3::ule(words + 1024, end) &&
                                                    z3::ule(summary + 16, end));
}

}  // namespace

std::vector<Statement> book_statements() {
  return {
      {"areas of the control space are apart", areas_are_apart},
      {"areas of the control space are aligned", areas_are_aligned},
      {"records of chunks are apart", chunk_records_are_apart},
      {"sets of chunks are apart", chunk_sets_are_apart},
      {"sets of blocks are apart", block_sets_are_apart},
      {"item maps in books are apart", near_item_maps_are_apart},
      {"item maps are apart", item_maps_are_apart},
      {"summaries of item maps", item_map_summaries},
      {"records of regions are apart", region_records_are_apart},
      {"sets of bins are apart", bin_sets_are_apart},
  };
}

}  // namespace strata::prove
