// A model of the contents of an address space: every byte holds a tag, 0 meaning a zero byte.
#pragma once

#include <cstdint>
#include <iterator>
#include <map>

namespace strata::check {

using Tag = std::uint64_t;

class TaggedSpace {
 public:
  void write(std::uint64_t begin, std::uint64_t end, Tag tag) {
    if (begin >= end) {
      return;
    }
    split(end);
    split(begin);
    tags_.erase(tags_.find(begin), tags_.find(end));
    tags_.emplace(begin, tag);
    join(end);
    join(begin);
  }

  // Does every byte hold `tag`?
  bool holds(std::uint64_t begin, std::uint64_t end, Tag tag) const {
    for (auto at = piece(begin); at != tags_.end() && at->first < end; ++at) {
      if (at->second != tag) {
        return false;
      }
    }
    return true;
  }

  // Bytes that hold `tag` in [0, end).
  std::uint64_t count(Tag tag, std::uint64_t end) const {
    std::uint64_t bytes = 0;
    for (auto at = tags_.begin(); at != tags_.end() && at->first < end; ++at) {
      const auto next = std::next(at);
      const std::uint64_t stop = next == tags_.end() || next->first > end ? end : next->first;
      bytes += at->second == tag ? stop - at->first : 0;
    }
    return bytes;
  }

  // Calls visit(begin, end, tag) for each maximal stretch of one tag other than 0, in order, until
  // it returns false. The last stretch of a space is always 0.
  template <class Visit>
  void each_written(Visit visit) const {
    for (auto at = tags_.begin(); at != tags_.end(); ++at) {
      if (at->second != 0 && !visit(at->first, std::next(at)->first, at->second)) {
        return;
      }
    }
  }

  // Maximal stretches of one tag.
  std::size_t pieces() const { return tags_.size(); }

  bool operator==(const TaggedSpace&) const = default;

 private:
  using Map = std::map<std::uint64_t, Tag>;  // each piece begins at its key, ends at the next

  Map::const_iterator piece(std::uint64_t at) const { return std::prev(tags_.upper_bound(at)); }

  void split(std::uint64_t at) { tags_.emplace(at, piece(at)->second); }

  // Two neighbours of one tag are one piece.
  void join(std::uint64_t at) {
    const auto here = tags_.find(at);
    if (here != tags_.begin() && std::prev(here)->second == here->second) {
      tags_.erase(here);
    }
  }

  Map tags_{{0, 0}};
};

}  // namespace strata::check
