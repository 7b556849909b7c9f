// The reference allocator: a sorted list of live ranges that believes nothing. It never chooses an
// address; it is told each one and says whether a right allocator could have chosen it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include "props/support/tagged_space.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

struct Object {
  std::uint64_t offset = 0;  // in the heap space
  std::uint64_t size = 0;    // asked for
  std::uint64_t usable = 0;  // given
  Tag tag = 0;               // what every usable byte holds

  std::uint64_t end() const { return offset + usable; }
};

class Reference {
 public:
  // The part of the heap space that exists: [begin, end).
  void reset(std::uint64_t begin, std::uint64_t end) {
    *this = Reference();
    objects_.reserve(live_expected);
    order_.reserve(live_expected);
    begin_ = begin;
    end_ = end;
  }

  // `base + offset` must be a multiple of `align_bytes`.
  void add(const Object& object, std::uint64_t base, std::uint64_t align_bytes) {
    require((base + object.offset) % align_bytes == 0, "object at {:#x} is not aligned to {:#x}",
            object.offset, align_bytes);
    check_place(object);
    objects_.insert(objects_.begin() + index(object.offset), object);
    order_.push_back({object.tag, object.offset});
  }

  Object remove(std::uint64_t offset) {
    const auto found = objects_.begin() + index(offset);
    require(starts_at(offset), "driver: nothing lives at {:#x}", offset);
    const Object object = *found;
    objects_.erase(found);
    const auto place = std::ranges::lower_bound(order_, object.tag, {}, &Placed::tag);
    order_.erase(std::ranges::find(place, order_.end(), offset, &Placed::offset));
    freed_.push_back(offset);
    if (freed_.size() > freed_kept) {
      freed_.erase(freed_.begin());
    }
    return object;
  }

  // The same object with another size, in its place.
  void resize(const Object& object) {
    objects_.erase(objects_.begin() + index(object.offset));
    check_place(object);
    objects_.insert(objects_.begin() + index(object.offset), object);
  }

  std::size_t live() const { return order_.size(); }
  // Precondition: live() > 0.
  const Object& nth(std::uint64_t k) const {
    return objects_[at(order_[k % order_.size()].offset)];
  }
  bool starts_at(std::uint64_t offset) const {
    const std::size_t i = at(offset);
    return i < objects_.size() && objects_[i].offset == offset;
  }
  // Offsets that were freed and at which nothing starts now, oldest first.
  std::vector<std::uint64_t> freed() const {
    std::vector<std::uint64_t> offsets;
    std::ranges::copy_if(freed_, std::back_inserter(offsets),
                         [&](std::uint64_t offset) { return !starts_at(offset); });
    return offsets;
  }

  // Does a live object touch [begin, end)?
  bool touches(std::uint64_t begin, std::uint64_t end) const {
    const std::size_t after = at(end);
    return after > 0 && objects_[after - 1].end() > begin;
  }

  // Calls visit(object) for each that touches [begin, end), in address order.
  template <class Visit>
  void each_in(std::uint64_t begin, std::uint64_t end, Visit visit) const {
    std::size_t i = at(begin);
    if (i > 0 && objects_[i - 1].end() > begin) {
      --i;
    }
    for (; i < objects_.size() && objects_[i].offset < end; ++i) {
      visit(objects_[i]);
    }
  }

  // In address order.
  const std::vector<Object>& objects() const { return objects_; }
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }

 private:
  static constexpr std::size_t freed_kept = 64;
  static constexpr std::size_t live_expected = 64;  // or fewer, in most inputs

  // Of the first object at `offset` or above.
  std::size_t at(std::uint64_t offset) const { return static_cast<std::size_t>(index(offset)); }
  std::ptrdiff_t index(std::uint64_t offset) const {
    return std::ranges::lower_bound(objects_, offset, {}, &Object::offset) - objects_.begin();
  }

  void check_place(const Object& object) const {
    require(object.usable >= object.size, "object at {:#x}: {} bytes asked for, {} usable",
            object.offset, object.size, object.usable);
    require(
        object.offset >= begin_ && object.offset < end_ && object.usable <= end_ - object.offset,
        "object at {:#x}, {} bytes, lies outside [{:#x}, {:#x})", object.offset, object.usable,
        begin_, end_);
    each_in(object.offset, object.end(), [&](const Object& other) {
      violated(fmt::format("object at {:#x}, {} bytes, overlaps the live one at {:#x}, {} bytes",
                           object.offset, object.usable, other.offset, other.usable));
    });
  }

  std::vector<Object> objects_;  // by offset: few, and most come at the end
  struct Placed {
    Tag tag;
    std::uint64_t offset;
  };
  std::vector<Placed> order_;         // of allocation, so that tags never fall
  std::vector<std::uint64_t> freed_;  // oldest first
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace strata::check
