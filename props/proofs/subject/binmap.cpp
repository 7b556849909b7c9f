// Entry points into the bin map and the list in it, for the proofs.

#include "binmap/binmap.hpp"

#include "binmap/ordered_list.hpp"

namespace strata {
namespace {

using Word = std::uint64_t;
using Index = std::uint32_t;
using Map = BinMap<6>;

template <class Link>
struct Next {
  Link* links;
  Link& operator()(Index index) const { return links[index]; }
};
template <class Link>
using List = OrderedList<Link, Map, Next<Link>>;

}  // namespace

extern "C" {

bool binmap_test(Word* summary, Word* words, Index n, Index index) {
  return Map(summary, words, n).test(index);
}
bool binmap_test_all(Word* summary, Word* words, Index n, Index first, Index last) {
  return Map(summary, words, n).test_all(first, last);
}
bool binmap_empty(Word* summary, Word* words, Index n) { return Map(summary, words, n).empty(); }
bool binmap_put(Word* summary, Word* words, Index n, Index index) {
  return Map(summary, words, n).put(index);
}
// Two puts in a row; bit 0 and 1 of the result: whether they did.
Index binmap_put_two(Word* summary, Word* words, Index n, Index a, Index b) {
  Map::Putter putter(Map(summary, words, n));
  const bool did_a = putter.put(a);
  const bool did_b = putter.put(b);
  putter.finish();
  return (did_a ? 1U : 0U) + (did_b ? 2U : 0U);
}
bool binmap_take(Word* summary, Word* words, Index n, Index index) {
  return Map(summary, words, n).take(index);
}
Index binmap_first(Word* summary, Word* words, Index n) { return Map(summary, words, n).first(); }
Index binmap_first_from(Word* summary, Word* words, Index n, Index index) {
  return Map(summary, words, n).first_from(index);
}
Index binmap_last_before(Word* summary, Word* words, Index n, Index index) {
  return Map(summary, words, n).last_before(index);
}
bool binmap_summary_test(Word* summary, Word* words, Index n, Index w) {
  return Map(summary, words, n).summary_test(w);
}
Index binmap_first_word(Word* summary, Word* words, Index n) {
  return Map(summary, words, n).first_word();
}
void binmap_set_word(Word* summary, Word* words, Index n, Index w, Word value) {
  Map(summary, words, n).set_word(w, value);
}
void binmap_clear(Word* summary, Word* words, Index n, Index bits) {
  Map(summary, words, n).clear(bits);
}
void binmap_fill(Word* summary, Word* words, Index n, Index bits) {
  Map(summary, words, n).fill(bits);
}

void list_insert_32(Word* summary, Word* words, Index n, Index* head, Index* links, Index index) {
  List<Index>(*head, Map(summary, words, n), {links}).insert(index);
}
void list_remove_32(Word* summary, Word* words, Index n, Index* head, Index* links, Index index) {
  List<Index>(*head, Map(summary, words, n), {links}).remove(index);
}
void list_insert_16(Word* summary, Word* words, Index n, std::uint16_t* head, std::uint16_t* links,
                    Index index) {
  List<std::uint16_t>(*head, Map(summary, words, n), {links}).insert(index);
}
void list_remove_16(Word* summary, Word* words, Index n, std::uint16_t* head, std::uint16_t* links,
                    Index index) {
  List<std::uint16_t>(*head, Map(summary, words, n), {links}).remove(index);
}
}

}  // namespace strata
