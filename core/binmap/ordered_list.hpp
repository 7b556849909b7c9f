// A singly linked list in index order, threaded through a bin map.
//
// The links give the next member at once; the map gives the predecessor of a place, so that
// insertion and removal need no walk. The map is the truth, the links are a cache of its order.
#pragma once

#include <cassert>

#include "binmap/binmap.hpp"

namespace strata {

// `Next` is callable: next(i) is a reference to the link of member i. `Link` is the stored type of
// an index; its largest value means none.
template <class Link, class Map, class Next>
class OrderedList {
 public:
  static constexpr Link none = static_cast<Link>(~Link{0});

  constexpr OrderedList(Link& head, Map members, Next next)
      : head_(head), members_(members), next_(next) {}

  constexpr Link first() const { return head_; }
  constexpr Link after(std::uint32_t index) const { return next_(index); }
  constexpr bool contains(std::uint32_t index) const { return members_.test(index); }

  // Precondition: not a member.
  constexpr void insert(std::uint32_t index) {
    const bool added = members_.put(index);
    assert(added);
    (void)added;
    Link& link = link_before(index);
    next_(index) = link;
    link = static_cast<Link>(index);
  }

  // Precondition: a member.
  constexpr void remove(std::uint32_t index) {
    const bool removed = members_.take(index);
    assert(removed);
    (void)removed;
    Link& link = link_before(index);
    assert(link == index);
    link = next_(index);
    next_(index) = 0;  // a dead link has one value: equal books are equal bytes
  }

 private:
  constexpr Link& link_before(std::uint32_t index) {
    const std::uint32_t before = members_.last_before(index);
    return before == no_index ? head_ : next_(before);
  }

  Link& head_;
  Map members_;
  Next next_;
};

}  // namespace strata
