// The books of a small heap as words that can be saved, compared, digested and put back.
//
// A digest is a sum over the words, so that of a state that differs from a known one in few words
// only those few are hashed.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "book/books.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

// 128 bits, so that a search may take equal digests for equal states.
struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Digest&) const = default;
};

// One hash function a position.
class WordHashes {
 public:
  explicit WordHashes(std::size_t positions) {
    std::uint64_t state = 0;
    keys_.resize(positions);
    for (auto& key : keys_) {
      for (std::uint64_t* part : {&key.add_low, &key.times_low, &key.add_high, &key.times_high}) {
        *part = next(state) | 1;
      }
    }
  }

  // Adds a word at a position to the digest, and takes it out of it.
  void add(Digest& digest, std::size_t position, std::uint64_t word) const {
    const Key& key = keys_[position];
    digest.low += mix(word ^ key.add_low, key.times_low);
    digest.high += mix(word ^ key.add_high, key.times_high);
  }
  void remove(Digest& digest, std::size_t position, std::uint64_t word) const {
    const Key& key = keys_[position];
    digest.low -= mix(word ^ key.add_low, key.times_low);
    digest.high -= mix(word ^ key.add_high, key.times_high);
  }

 private:
  struct Key {
    std::uint64_t add_low, times_low, add_high, times_high;
  };
  static std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  // Splitmix64.
  static std::uint64_t next(std::uint64_t& state) {
    std::uint64_t z = state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  std::vector<Key> keys_;
};

using Words = std::vector<std::uint64_t>;

template <class Heap>
class BooksImage {
  using Plan = typename Heap::Plan;

 public:
  // Of an open heap.
  explicit BooksImage(Heap& heap) {
    const auto& layout = heap.books.layout();
    const std::uint64_t slots = layout.segments * Plan::regions_per_segment;
    std::byte* const control = heap.memory.base(Space::control);
    control_ = reinterpret_cast<std::uint64_t*>(control);
    control_end_ = control_ + layout.control_bytes / sizeof *control_;
    add(control, layout.segment_set +
                     (layout.segment_words + layout.segment_summary_words) * sizeof(std::uint64_t));
    add(control + layout.class_bytes, round_up<std::uint64_t>(slots, sizeof(std::uint64_t)));
    add(control + layout.regions, slots * sizeof(region_t));
    add(control + layout.region_sets, layout.bins_count() * layout.region_set_bytes());
    add(heap.memory.base(Space::books), layout.books_bytes());
    add(heap.memory.base(Space::item_map), layout.item_maps_bytes());
  }

  std::size_t words() const { return words_; }

  void copy_to(Words& words) const {
    words.resize(words_);
    std::uint64_t* at = words.data();
    for (const Part& part : parts_) {
      std::memcpy(at, part.start, part.words * sizeof *at);
      at += part.words;
    }
  }
  void restore(const Words& words) {
    const std::uint64_t* at = words.data();
    for (const Part& part : parts_) {
      std::memcpy(part.start, at, part.words * sizeof *at);
      at += part.words;
    }
  }
  bool is_at(const Words& words) const {
    const std::uint64_t* at = words.data();
    return std::ranges::all_of(parts_, [&](const Part& part) {
      const std::uint64_t* const saved = at;
      at += part.words;
      return std::memcmp(part.start, saved, part.words * sizeof *at) == 0;
    });
  }

  // Calls visit(position, before, now) for each word that is not as in `words`.
  template <class Visit>
  void each_change(const Words& words, Visit visit) const {
    std::size_t position = 0;
    for (const Part& part : parts_) {
      for (std::size_t i = 0; i < part.words; ++i, ++position) {
        if (part.start[i] != words[position]) {
          visit(position, words[position], part.start[i]);
        }
      }
    }
  }

  // Whether all else in the control space, unlocked locks among it, is zero: whoever writes there
  // writes past the end of something.
  bool rest_is_zero() const {
    const std::uint64_t* at = control_;
    std::uint64_t found = 0;
    const auto look_until = [&](const std::uint64_t* end) {
      for (; at < end; ++at) {
        found |= *at;
      }
    };
    for (std::size_t i = 0; i < control_parts; ++i) {
      look_until(parts_[i].start);
      at = parts_[i].start + parts_[i].words;
    }
    look_until(control_end_);
    return found == 0;
  }

 private:
  struct Part {
    std::uint64_t* start;
    std::size_t words;
  };

  void add(std::byte* start, std::uint64_t bytes) {
    require(bytes % sizeof(std::uint64_t) == 0, "a table of {} bytes", bytes);
    parts_.push_back({reinterpret_cast<std::uint64_t*>(start), bytes / sizeof(std::uint64_t)});
    words_ += parts_.back().words;
  }

  static constexpr std::size_t control_parts = 4;  // in the control space, in address order
  std::uint64_t* control_;
  std::uint64_t* control_end_;
  std::vector<Part> parts_;
  std::size_t words_ = 0;
};

}  // namespace strata::check
