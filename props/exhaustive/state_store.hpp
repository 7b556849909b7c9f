// Where a search keeps the states that it has seen, as digests, and those that it has not expanded
// yet, as the words in them that are not zero.
#pragma once

#include <bit>
#include <cassert>
#include <cstdint>
#include <vector>

#include "props/exhaustive/books_image.hpp"

namespace strata::check {

// A set by open addressing, doubled when it is half full.
class DigestSet {
 public:
  DigestSet() : places_(1 << 16) {}

  std::uint64_t size() const { return size_; }

  bool contains(const Digest& digest) const { return places_[find(digest)] == digest; }

  // Returns whether it is new.
  bool insert(const Digest& digest) {
    const std::size_t place = find(digest);
    if (places_[place] == digest) {
      return false;
    }
    places_[place] = digest;
    ++size_;
    if (2 * size_ > places_.size()) {
      grow();
    }
    return true;
  }

 private:
  // Where the digest is, or would be. A digest of zeros would pass for an empty place; it would
  // then be found, and its state lost, with the odds of any other collision.
  std::size_t find(const Digest& digest) const {
    std::size_t place = digest.low & (places_.size() - 1);
    while (places_[place] != digest && places_[place] != Digest{}) {
      place = (place + 1) & (places_.size() - 1);
    }
    return place;
  }
  void grow() {
    std::vector<Digest> old(2 * places_.size());
    old.swap(places_);
    for (const Digest& digest : old) {
      if (digest != Digest{}) {
        places_[find(digest)] = digest;
      }
    }
  }

  std::vector<Digest> places_;
  std::uint64_t size_ = 0;
};

// States of `words` words each, first in, first out, in two vectors: one is written while the other
// is read.
class StateQueue {
 public:
  void push(const Words& words) {
    for (std::size_t i = 0; i < words.size(); i += 64) {
      const std::size_t mask_at = in_.size();
      in_.push_back(0);
      for (std::size_t j = i; j < std::min(i + 64, words.size()); ++j) {
        if (words[j] != 0) {
          in_[mask_at] |= std::uint64_t{1} << (j - i);
          in_.push_back(words[j]);
        }
      }
    }
  }

  // Into `words`, whose size is that of those pushed. Precondition: not empty.
  void pop(Words& words) {
    if (read_ == out_.size()) {
      out_.clear();
      out_.swap(in_);
      read_ = 0;
    }
    std::fill(words.begin(), words.end(), 0);
    for (std::size_t i = 0; i < words.size(); i += 64) {
      for (std::uint64_t mask = out_.at(read_++); mask != 0; mask &= mask - 1) {
        words[i + static_cast<unsigned>(std::countr_zero(mask))] = out_[read_++];
      }
    }
  }

 private:
  Words in_, out_;
  std::size_t read_ = 0;
};

}  // namespace strata::check
