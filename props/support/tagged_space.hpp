// A model of the contents of an address space: every byte holds a tag, 0 meaning a zero byte.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace strata::check {

using Tag = std::uint64_t;

class TaggedSpace {
 public:
  // Room for as many as most inputs need: under ASan each growth of an array costs as much as many
  // writes.
  TaggedSpace() {
    pieces_.reserve(32);
    clear();
  }

  // All zeros again; the room stays.
  void clear() { pieces_.assign(1, {0, 0}); }

  void write(std::uint64_t begin, std::uint64_t end, Tag tag) {
    if (begin >= end) {
      return;
    }
    const std::size_t first = split(begin);
    const std::size_t last = split(end);
    pieces_[first].tag = tag;
    erase(first + 1, last);
    join(first + 1);
    join(first);
  }

  // Does every byte hold `tag`?
  bool holds(std::uint64_t begin, std::uint64_t end, Tag tag) const {
    for (std::size_t i = piece(begin); i < pieces_.size() && pieces_[i].begin < end; ++i) {
      if (pieces_[i].tag != tag) {
        return false;
      }
    }
    return true;
  }

  // Bytes that hold `tag` in [0, end).
  std::uint64_t count(Tag tag, std::uint64_t end) const {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < pieces_.size() && pieces_[i].begin < end; ++i) {
      const std::uint64_t stop = std::min(end, end_of(i));
      bytes += pieces_[i].tag == tag ? stop - pieces_[i].begin : 0;
    }
    return bytes;
  }

  // Calls visit(begin, end, tag) for each maximal stretch of one tag other than 0, in order, until
  // it returns false. The last stretch of a space is always 0.
  template <class Visit>
  void each_written(Visit visit) const {
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (pieces_[i].tag != 0 && !visit(pieces_[i].begin, end_of(i), pieces_[i].tag)) {
        return;
      }
    }
  }

  // Maximal stretches of one tag.
  std::size_t pieces() const { return pieces_.size(); }

  bool operator==(const TaggedSpace&) const = default;

 private:
  // Ends where the next one begins. A sorted array: there are few, and most writes come at the end.
  struct Piece {
    std::uint64_t begin;
    Tag tag;
    bool operator==(const Piece&) const = default;
  };

  std::uint64_t end_of(std::size_t index) const {
    return index + 1 < pieces_.size() ? pieces_[index + 1].begin : ~std::uint64_t{0};
  }

  // The piece that holds the byte at `at`.
  std::size_t piece(std::uint64_t at) const {
    const auto after = std::ranges::upper_bound(pieces_, at, {}, &Piece::begin);
    return static_cast<std::size_t>(after - pieces_.begin()) - 1;
  }

  // The piece that begins at `at`, now if not before.
  std::size_t split(std::uint64_t at) {
    const std::size_t here = piece(at);
    if (pieces_[here].begin == at) {
      return here;
    }
    const Tag tag = pieces_[here].tag;
    pieces_.insert(pieces_.begin() + static_cast<std::ptrdiff_t>(here) + 1, {at, tag});
    return here + 1;
  }

  // Two neighbours of one tag are one piece.
  void join(std::size_t index) {
    if (index > 0 && pieces_[index - 1].tag == pieces_[index].tag) {
      erase(index, index + 1);
    }
  }

  void erase(std::size_t begin, std::size_t end) {
    pieces_.erase(pieces_.begin() + static_cast<std::ptrdiff_t>(begin),
                  pieces_.begin() + static_cast<std::ptrdiff_t>(end));
  }

  std::vector<Piece> pieces_;
};

}  // namespace strata::check
