// Vector clocks, and the race check that plain data gets from them.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace strata::check {

using ThreadId = std::uint32_t;
inline constexpr ThreadId threads_max = 8;  // the main thread included

// Component t counts the release operations of thread t that this one has learned of. What a thread
// did happens before another thread's next step exactly if the other's clock has reached its epoch.
struct Clock {
  std::array<std::uint16_t, threads_max> epochs{};

  std::uint16_t operator[](ThreadId thread) const { return epochs[thread]; }

  void join(const Clock& other) {
    for (ThreadId t = 0; t < threads_max; ++t) {
      epochs[t] = std::max(epochs[t], other.epochs[t]);
    }
  }
  bool covers(const Clock& other) const {
    bool all = true;
    for (ThreadId t = 0; t < threads_max; ++t) {
      all &= other.epochs[t] <= epochs[t];
    }
    return all;
  }
};

// Who last wrote and who read since, for one piece of plain data. All zeros: nobody yet.
class AccessHistory {
 public:
  // Whether such an access is ordered after all earlier ones that it conflicts with.
  bool may_read(const Clock& now) const { return epoch_ <= now[writer_]; }
  bool may_write(const Clock& now) const { return may_read(now) && now.covers(reads_); }

  void note_read(ThreadId thread, const Clock& now) { reads_.epochs[thread] = now[thread]; }
  void note_write(ThreadId thread, const Clock& now) {
    reads_ = Clock{};
    writer_ = static_cast<std::uint16_t>(thread);
    epoch_ = now[thread];
  }

  // Who made the access that is not ordered with one at `now`.
  ThreadId culprit(const Clock& now) const {
    ThreadId reader = 0;
    while (reader + 1 < threads_max && reads_[reader] <= now[reader]) {
      ++reader;
    }
    return may_read(now) ? reader : writer_;
  }

 private:
  Clock reads_;
  std::uint16_t writer_ = 0;
  std::uint16_t epoch_ = 0;
};

}  // namespace strata::check
