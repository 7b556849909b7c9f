// One atomic object: every value that it ever had in this execution, and who may still read which.
//
// The modification order is the order of execution. A load may return any value that is not older
// than one which a write or read that happens before it wrote or read (coherence), and a seq_cst
// load none older than the last one that a seq_cst operation touched. Read-modify-writes take the
// newest. Stronger than C++ in two ways: values are never read before they are written (no load
// buffering), and stores never enter the modification order behind later ones (no 2+2W).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "props/support/scheduler_clock.hpp"

namespace strata::check {

class Location {
 public:
  struct Store {
    std::uint64_t value;
    Clock released;  // what an acquire of it learns; of a relaxed store nothing
  };

  // The first value is from before the execution, and all threads know of it.
  void begin(std::uint64_t value) {
    stores_.assign(1, {value, Clock{}});
    seen_.clear();
    seq_cst_floor_ = 0;
  }

  std::uint32_t newest() const { return static_cast<std::uint32_t>(stores_.size()) - 1; }
  const Store& store(std::uint32_t index) const { return stores_[index]; }

  // The oldest store that a thread with this clock may read.
  std::uint32_t floor(const Clock& now, bool seq_cst) const {
    std::uint32_t floor = seq_cst ? seq_cst_floor_ : 0;
    for (const Seen& seen : seen_) {
      if (seen.epoch <= now[seen.thread]) {
        floor = std::max(floor, seen.store);
      }
    }
    return floor;
  }

  void note_read(ThreadId thread, const Clock& now, std::uint32_t store, bool seq_cst) {
    if (seen_.empty() || seen_.back().thread != thread || seen_.back().epoch != now[thread] ||
        seen_.back().store != store) {
      seen_.push_back({store, static_cast<std::uint16_t>(thread), now[thread]});
    }
    if (seq_cst) {
      seq_cst_floor_ = std::max(seq_cst_floor_, store);
    }
  }

  void add(ThreadId thread, const Clock& now, const Store& store, bool seq_cst) {
    stores_.push_back(store);
    note_read(thread, now, newest(), seq_cst);
  }

 private:
  struct Seen {
    std::uint32_t store;
    std::uint16_t thread;
    std::uint16_t epoch;
  };
  std::vector<Store> stores_;
  std::vector<Seen> seen_;
  std::uint32_t seq_cst_floor_ = 0;
};

}  // namespace strata::check
