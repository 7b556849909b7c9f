// What must hold of calls that lead to no state of their own: from one state, each of them.
//
//   a bad free of every place     is reported, and changes nothing
//   an attempt, without law 5     changes nothing (law 4), or leads where the request does
//   several items at once         come and go as they do one by one
//   a resize in place             drops only what lies past the new end, and changes no books
//   a run that grows in place     is as long as it says
//   relief, the purge by a goal   reaches it, and changes nothing that lives
#pragma once

#include <array>
#include <vector>

#include "props/exhaustive/subject.hpp"

namespace strata::check {

// Calls attempt(refusals) -> calls made, under every pattern of refusals: after each run the last
// grant that was made becomes a refusal.
template <class Attempt>
void under_every_pattern(Attempt attempt) {
  for (std::uint32_t refusals = 0;;) {
    unsigned calls = attempt(refusals);
    const auto refused = [&] { return ((refusals >> (calls - 1)) & 1) != 0; };
    while (calls > 0 && refused()) {
      refusals &= ~(1U << --calls);
    }
    if (calls == 0) {
      return;
    }
    refusals |= 1U << (calls - 1);
  }
}

// `Seen` is callable as seen(): whether the search knows the state that the subject is in.
template <class Subject, class Seen>
class Probes {
  using Plan = typename Subject::Plan;
  using Heap = typename Subject::Heap;
  using AllocatorT = typename Subject::AllocatorT;

 public:
  struct Counts {
    std::uint64_t bad_frees = 0, attempts = 0, batches = 0, resizes = 0, reliefs = 0;
  };

  Probes(Subject& subject, Seen seen) : subject_(subject), heap_(subject.heap()), seen_(seen) {}

  // All but attempts.
  void run(std::uint64_t bytes_min) {
    bad_frees();
    for (plan::Class bin = 1; bin <= Plan::item_classes; ++bin) {
      if (Plan::unit_bytes(bin) >= bytes_min) {
        take_many(bin);
      }
    }
    give_many();
    resizes();
    growths();
    reliefs();
  }

  // The request of a move that allocates. The moves must have been made already.
  void attempt(const Move& move) {
    const std::uint64_t align = std::uint64_t{1} << move.align_shift;
    const Request request = {Plan::class_for(move.operand), move.operand, align};
    under_every_pattern([&](std::uint32_t refusals) {
      now_ = {"an attempt at bytes", move.operand, refusals};
      ++counts_.attempts;
      begin(refusals);
      Address address = 0;
      const Taken got = Plan::is_item(request.cls) ? heap_.take(request, &address + 1, 1)
                                                   : heap_.take_large(request, &address + 1);
      const unsigned calls = end();
      if (got.count == 0) {
        require(subject_.is_at_start(), "law 4: a failed attempt changed the books");
      } else {
        subject_.took(address, move.operand, align, got.known_zero);
        require(seen_(), "an attempt led where the request does not");
      }
      return calls;
    });
  }

  const Counts& counts() const { return counts_; }
  // The probe that goes on, for a violation's text.
  std::string what() const {
    return now_.what == nullptr
               ? std::string()
               : fmt::format("[{} {}, refusals {:#b}]\n", now_.what, now_.operand, now_.refusals);
  }
  void forget() { now_ = {}; }

 private:
  void begin(std::uint32_t refusals = 0) {
    subject_.back_to_start();
    subject_.memory().answers = {.refusals = refusals};
  }
  unsigned end() {
    const unsigned calls = subject_.memory().answers.calls;
    subject_.memory().answers = {};
    require(PlainMutex::held().empty(), "a lock is held");
    require(heap_.hooks.reports.empty(), "a good pointer was reported");
    return calls;
  }

  void bad_frees() {
    begin();
    const auto bad = [&](std::uint64_t offset) {
      now_ = {"a bad free at", offset, 0};
      ++counts_.bad_frees;
      subject_.allocator().deallocate(AllocatorT::dead(), heap_.base + offset);
      auto& reports = heap_.hooks.reports;
      require(reports.size() == 1 && reports[0].address == heap_.base + offset,
              "{} reports, or of another address", reports.size());
      reports.clear();
      require(subject_.is_at_start(), "it changed the books");
    };
    const auto& live = subject_.start().live;
    for (std::uint64_t offset = 0; offset < heap_.heap_bytes; offset += Plan::item_bytes_min / 2) {
      now_ = {"a look at", offset, 0};
      require(heap_.looks_live(heap_.base + offset) == live.starts_at(offset),
              "looks_live() says the contrary");
      if (!live.starts_at(offset)) {
        bad(offset);
      }
    }
    bad(heap_.heap_bytes);
    bad(~std::uint64_t{0});
    end();
  }

  // One more than a chunk holds of the smallest: the batch crosses from one chunk to the next.
  static constexpr std::uint32_t batch_max = Plan::items_per_chunk_max + 1;
  using Batch = std::array<Address, batch_max>;

  void take_many(plan::Class bin) {
    const Request request = {bin, Plan::unit_bytes(bin), 1};
    const std::uint32_t batch = Plan::items_per_chunk(bin) + 1;
    under_every_pattern([&](std::uint32_t refusals) {
      now_ = {"several items at once of bin", bin, refusals};
      ++counts_.batches;
      begin(refusals);
      Batch many{};
      const Taken got = heap_.take(request, many.data() + batch, batch);
      const unsigned calls = end();
      const Words books = subject_.books();
      begin(refusals);
      for (std::uint32_t i = 0; i < got.count; ++i) {
        Address one = 0;
        require(heap_.take(request, &one + 1, 1).count == 1 && one == many[batch - 1 - i],
                "item {} of {} is another one when they are taken one by one", i, got.count);
      }
      require(subject_.is_at(books), "{} items at once are not {} times one", got.count, got.count);
      end();
      return calls;
    });
  }

  void give_many() {
    std::vector<Address> all;
    subject_.start().live.each(
        [&](std::uint64_t offset, std::uint64_t) { all.push_back(heap_.base + offset); });
    if (all.size() < 2) {
      return;
    }
    for (const char* order : {"several frees at once, upwards:", "downwards:"}) {
      now_ = {order, all.size(), 0};
      ++counts_.batches;
      begin();
      for (const Address address : all) {
        require(give({address}) == 0, "one of them was reported");
      }
      const Words books = subject_.books();
      begin();
      require(give(all) == 0 && subject_.is_at(books), "they are not as one by one");
      begin();
      std::vector<Address> twice = all;
      twice.insert(twice.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.front());
      require(give(twice) == 1 && subject_.is_at(books), "one of them was freed twice");
      end();
      std::ranges::reverse(all);
    }
  }
  // Returns how many were reported.
  std::uint32_t give(std::vector<Address> pointers) {
    Reports reports;
    heap_.give(pointers.data(), static_cast<std::uint32_t>(pointers.size()), reports);
    return reports.count();
  }

  // Also sizes between two chunks.
  static constexpr std::uint64_t size_step = Plan::item_bytes_min / 2;

  void resizes() {
    using Memory = std::remove_reference_t<decltype(subject_.memory())>;
    begin();
    const std::uint64_t written = subject_.start().pages.written;
    subject_.start().live.each([&](std::uint64_t offset, std::uint64_t bytes) {
      const std::uint64_t no_room = Plan::is_run(heap_.class_at(offset)) ? 0 : size_step;
      for (std::uint64_t size = size_step; size <= bytes + no_room; size += size_step) {
        now_ = {"a resize in place to bytes", size, 0};
        subject_.memory().answers = {};  // none is refused, however many sizes there are
        ++counts_.resizes;
        const bool done = subject_.allocator().resize_in_place(heap_.base + offset, size);
        require(!done || size <= bytes, "{:#x} has no room for it", offset);
        require(subject_.is_at_start(), "it changed the books");
        const std::uint64_t keep = round_up(size, Plan::page_bytes);
        const std::uint64_t past_end =
            done && keep < bytes ? Memory::mask_touched(offset + keep, bytes - keep) : 0;
        require((written & ~subject_.memory().pages.written & ~past_end) == 0,
                "it dropped what it must keep");
        subject_.memory().pages.written = written;  // the program writes there again
      }
    });
    end();
  }

  // A run that grows where it is: all of it is there, and the books are as sound as any.
  void growths() {
    subject_.start().live.each([&](std::uint64_t offset, std::uint64_t bytes) {
      if (!Plan::is_run(heap_.class_at(offset))) {
        return;
      }
      // By one chunk, to the end of its segments, and past it.
      const std::uint64_t last = round_up(bytes, Plan::segment_bytes);
      for (const std::uint64_t size : {bytes + 1, last, last + 1}) {
        under_every_pattern([&](std::uint32_t refusals) {
          now_ = {"growth of a run to bytes", size, refusals};
          ++counts_.resizes;
          begin(refusals);
          const bool done = subject_.allocator().resize_in_place(heap_.base + offset, size);
          const unsigned calls = end();
          if (!done) {
            require(subject_.is_at_start(), "law 4: a growth that failed changed the books");
          } else {
            subject_.grew(offset, size);
            if (!seen_()) {
              subject_.check_state();
            }
          }
          return calls;
        });
      }
    });
  }

  void reliefs() {
    for (plan::Class warm = 1; warm <= Plan::last_block; ++warm) {
      begin();
      const auto& dirty = heap_.books.control().dirty_bytes;
      const std::uint64_t goal = dirty.load() / 2;
      if (heap_.books.of_everything().bin(warm).regions == 0 || goal == 0) {
        continue;
      }
      under_every_pattern([&](std::uint32_t refusals) {
        now_ = {"relief, the warm bin being", warm, refusals};
        ++counts_.reliefs;
        begin(refusals);
        {
          const auto purge = heap_.lock_purge();
          Purge<typename Heap::State>(heap_).whole_units(goal, warm);
        }
        const unsigned calls = end();
        require(dirty.load() <= goal || refusals != 0, "{} bytes are dirty, the goal was {}",
                dirty.load(), goal);
        if (!seen_()) {
          subject_.check_state();
        }
        return calls;
      });
    }
  }

  struct Now {
    const char* what = nullptr;
    std::uint64_t operand = 0;
    std::uint32_t refusals = 0;
  };

  Subject& subject_;
  Heap& heap_;
  Seen seen_;
  Counts counts_;
  Now now_;
};

}  // namespace strata::check
