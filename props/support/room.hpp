// Law 5's oracle, from the live ranges: is there certainly room for a request, once no magazine
// holds anything and memory is granted? Of the books it only asks what an object's region is: a
// run, or blocks of a whole segment, leave the rest of their region to nobody else.
#pragma once

#include "props/support/reference.hpp"

namespace strata::check {

template <class Heap>
class Room {
  using Plan = typename Heap::State::Plan;

 public:
  Room(const Reference& live, const Heap& heap) : live_(live), heap_(heap) {}

  bool surely_for(std::uint64_t size_bytes, std::uint64_t align_bytes) const {
    const std::uint64_t size = Plan::aligned_size(size_bytes, align_bytes);
    if (size == 0 || size > live_.end()) {
      return false;
    }
    // Larger than a segment: whole ones. Anything else may at least be a run of slots, aligned to
    // what divides its size.
    const bool segments = size > Plan::segment_bytes;
    const std::uint64_t step = segments ? Plan::segment_bytes : Plan::region_bytes;
    const std::uint64_t align = segments ? 1 : size & (~size + 1);
    return in_unused(step, (size + step - 1) / step, align) || in_used_slot(size, align_bytes);
  }

 private:
  bool is_run(const Object& object) const { return Plan::is_run(heap_.class_at(object.offset)); }

  // `count` neighbouring steps that exist and that nothing live takes, from a multiple of `align`
  // on.
  bool in_unused(std::uint64_t step, std::uint64_t count, std::uint64_t align) const {
    std::uint64_t found = 0;
    for (std::uint64_t end = live_.end() & ~(step - 1); end >= round_up(live_.begin(), step) + step;
         end -= step) {
      found = is_taken(end - step, end) ? 0 : found + 1;
      if (found >= count && (end - step) % align == 0) {
        return true;
      }
    }
    return false;
  }

  // Touched by something live, or in its region: that of a run larger than a segment, or of blocks,
  // may be the whole segment.
  bool is_taken(std::uint64_t begin, std::uint64_t end) const {
    bool taken = live_.touches(begin, end);
    const std::uint64_t segment = begin & ~(Plan::segment_bytes - 1);
    live_.each_in(segment, segment + Plan::segment_bytes, [&](const Object& object) {
      taken = taken || (is_run(object) && object.usable > Plan::segment_bytes) ||
              Plan::is_block(heap_.class_at(object.offset));
    });
    return taken;
  }

  // A slot whose live objects are all of one unit that fits the request, and are not all it holds.
  bool in_used_slot(std::uint64_t size, std::uint64_t align) const {
    for (std::uint64_t at = round_up(live_.begin(), Plan::region_bytes); at < live_.end();
         at += Plan::region_bytes) {
      std::uint64_t count = 0;
      std::uint64_t unit = 0;
      live_.each_in(at, at + Plan::region_bytes, [&](const Object& object) {
        ++count;
        unit = is_run(object) ? 0 : object.usable;
      });
      if (count > 0 && unit >= size && unit % align == 0 && count < capacity(unit)) {
        return true;
      }
    }
    return false;
  }

  // Units in a slot; 0 for those larger than one.
  static std::uint64_t capacity(std::uint64_t unit) {
    const bool items = unit <= Plan::item_bytes_max;
    return items ? Plan::chunks_per_region * (Plan::chunk_bytes / unit) : Plan::region_bytes / unit;
  }

  const Reference& live_;
  const Heap& heap_;
};

}  // namespace strata::check
