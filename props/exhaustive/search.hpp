// Every state that a heap can reach, breadth first, and every transition out of each.
//
// A state is the bytes of the books, which pages of the heap are committed and which may hold
// something, as a 128-bit digest. All that is used is held by the search, so what is live is read
// from the books (books_oracle apart), and every operation must change it by exactly what it took
// or gave. Transitions: allocate of every size there is, an attempt at each bin without the last
// resort, two items in one batch, deallocate of everything live, purge; each under every pattern of
// refusals; and a bad free of every other place, which must be reported and change nothing.
#pragma once

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "cache/allocator.hpp"
#include "props/exhaustive/search_memory.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/digest.hpp"
#include "props/support/operation.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/room.hpp"

namespace strata::check {

struct SearchSpace {
  std::uint32_t first_slot = 0;  // present slots
  std::uint32_t end_slot = 0;
  bool refusals = true;  // every pattern of them; or none
  std::uint64_t states_max = 0;
};

struct SearchResult {
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t bad_frees = 0;
  std::uint64_t exhausted = 0;  // transitions in which an allocation found no room
  bool complete = false;
  std::string counter_example;  // empty: none
};

// `Memory` is SearchMemory, or one that lies.
template <class Plan, class Memory = SearchMemory<Plan>>
class Search {
  using Heap = strata::Heap<Plan, Memory, PlainSync, CheckHooks>;
  using AllocatorT = Allocator<Heap>;
  using Pages = typename Memory::Pages;

 public:
  explicit Search(const SearchSpace& space) : space_(space) {
    heap().memory.part = {space.first_slot * Plan::region_bytes,
                          space.end_slot * Plan::region_bytes};
    const std::uint32_t segments = (space.end_slot - 1) / Plan::regions_per_segment + 1;
    require(allocator_->open(segments), "open failed");
    heap().purge_if_due();  // starts the clock, which then stands still
    const auto& layout = heap().books.layout();
    std::byte* const control = heap().memory.base(Space::control);
    const std::uint64_t slots = segments * Plan::regions_per_segment;
    ranges_ = {{control, layout.control_page_bytes},
               {control + layout.class_bytes, round_up<std::uint64_t>(slots, 8)},
               {control + layout.regions, slots * sizeof(region_t)},
               {control + layout.region_sets, Plan::bins * layout.region_set_bytes()},
               {heap().memory.base(Space::books), layout.books_bytes()},
               {heap().memory.base(Space::item_map), layout.item_maps_bytes()}};
    trim_ranges(layout);
    for (std::uint64_t size = Plan::item_bytes_min; size < heap().heap_bytes;) {
      sizes_.push_back(size);
      size = size < Plan::segment_bytes ? size * 2 : size + Plan::chunk_bytes;
    }
    sizes_.push_back(heap().heap_bytes);
  }

  SearchResult run() {
    try {
      save_if_new({});
      while (!frontier_.empty() && nodes_.size() < space_.states_max) {
        const Saved saved = std::move(frontier_.front());
        frontier_.pop_front();
        expand(saved);
      }
      result_.complete = frontier_.empty();
    } catch (const Violation& violation) {
      PlainMutex::held().clear();
      result_.counter_example = trace() + violation.what();
    }
    result_.states = nodes_.size();
    return result_;
  }

 private:
  enum class Act : std::uint8_t { start, allocate, attempt, pair, deallocate, purge };
  struct Step {
    Act act = Act::start;
    std::uint64_t operand = 0;        // size, bin, or offset
    std::vector<bool> refusals = {};  // NOLINT(readability-redundant-member-init)
    // What came of it.
    std::vector<std::uint64_t> taken = {};  // NOLINT(readability-redundant-member-init)
  };
  struct Node {
    std::uint32_t parent = 0;
    Step step;
  };
  struct Unit {
    std::uint64_t offset;
    std::uint64_t size;
    bool operator==(const Unit&) const = default;
  };
  using Units = std::vector<Unit>;  // in address order
  using Image = std::vector<std::byte>;
  struct Saved {
    std::uint32_t node;
    Image image;
    Pages pages;
  };
  struct Hash {
    std::size_t operator()(const Digest& digest) const { return digest.low; }
  };

  Heap& heap() { return allocator_->heap(); }

  // Only what the plan uses of the page-aligned tables.
  void trim_ranges(const typename Heap::Layout& layout) {
    ranges_[0].second =
        layout.segment_set + (layout.segment_words + layout.segment_summary_words) * 8;
  }

  // --- States
  Image image() const {
    Image bytes;
    for (const auto& [start, size] : ranges_) {
      bytes.insert(bytes.end(), start, start + size);
    }
    return bytes;
  }
  void restore(const Saved& saved) {
    const std::byte* at = saved.image.data();
    for (const auto& [start, size] : ranges_) {
      std::memcpy(start, at, size);
      at += size;
    }
    heap().memory.pages = saved.pages;
  }
  bool is_at(const Image& image) const {
    const std::byte* at = image.data();
    for (const auto& [start, size] : ranges_) {
      if (std::memcmp(start, at, size) != 0) {
        return false;
      }
      at += size;
    }
    return true;
  }

  void save_if_new(const Step& step) {
    Image bytes = image();
    const Pages& pages = heap().memory.pages;
    Digest digest;
    digest.add(bytes.data(), bytes.size());
    digest.add(pages.committed);
    digest.add(pages.written);
    if (seen_.insert(digest).second) {
      nodes_.push_back({current_, step});
      frontier_.push_back({static_cast<std::uint32_t>(nodes_.size() - 1), std::move(bytes), pages});
    }
  }

  // --- Transitions
  void expand(const Saved& saved) {
    current_ = saved.node;
    restore(saved);
    const Units live = used();
    bad_frees(saved, live);
    for (const std::uint64_t size : sizes_) {
      every_pattern(saved, live, {Act::allocate, size});
    }
    for (plan::Class bin = 1; bin <= Plan::last_block; ++bin) {
      every_pattern(saved, live, {Act::attempt, bin});
    }
    every_pattern(saved, live, {Act::pair, 0});
    for (const Unit& unit : live) {
      every_pattern(saved, live, {Act::deallocate, unit.offset});
    }
    every_pattern(saved, live, {Act::purge, 0});
  }

  // The tree of answers: after each run the last grant that was made becomes a refusal.
  void every_pattern(const Saved& saved, const Units& live, Step step) {
    for (;;) {
      restore(saved);
      heap().memory.refusals = step.refusals;
      heap().memory.calls = 0;
      step.taken.clear();
      now_ = step;
      ++result_.transitions;
      transition(saved, live, step);
      step.refusals.resize(space_.refusals ? heap().memory.calls : 0);
      heap().memory.refusals.clear();
      check_state();
      step.taken = now_.taken;
      save_if_new(step);
      while (!step.refusals.empty() && step.refusals.back()) {
        step.refusals.pop_back();
      }
      if (step.refusals.empty()) {
        return;
      }
      step.refusals.back() = true;
    }
  }

  bool any_refused(const Step& step) const {
    return std::ranges::find(step.refusals, true) != step.refusals.end();
  }

  void transition(const Saved& saved, Units live, const Step& step) {
    std::array<Address, 2> taken{};
    Address* const end = taken.data() + taken.size();
    switch (step.act) {
      case Act::start:
        break;
      case Act::allocate: {
        const Allocation got = allocator_->allocate_known(AllocatorT::dead(), step.operand);
        took(live, got.address, step.operand, got.known_zero);
        require(got.address != 0 || any_refused(step) || !has_room(live, step.operand),
                "spurious failure: {} bytes", step.operand);
        result_.exhausted += got.address == 0 ? 1 : 0;
        break;
      }
      case Act::attempt: {
        const Taken got = heap().take({.bin = static_cast<plan::Class>(step.operand)}, end, 1);
        if (got.count == 0) {
          require(is_at(saved.image), "law 4: a failed attempt at bin {} changed the books",
                  step.operand);
        } else {
          took(live, end[-1], Plan::unit_bytes(static_cast<plan::Class>(step.operand)),
               got.known_zero);
        }
        break;
      }
      case Act::pair: {
        const Taken got = heap().take({.bin = 1}, end, 2);
        for (std::uint32_t i = 0; i < got.count; ++i) {
          took(live, end[-1 - static_cast<int>(i)], Plan::item_bytes_min, got.known_zero);
        }
        break;
      }
      case Act::deallocate:
        allocator_->deallocate(AllocatorT::dead(), heap().base + step.operand);
        std::erase_if(live, [&](const Unit& unit) { return unit.offset == step.operand; });
        break;
      case Act::purge:
        allocator_->purge(AllocatorT::dead());
        break;
    }
    require(used() == live, "what is used is not what is live");
    if (step.act == Act::purge && !any_refused(step)) {
      require((heap().memory.pages.written & ~pages_of(live)) == 0,
              "purged, yet something is left where nothing lives");
    }
  }

  // Notes a unit that was handed out: it must be new, writable, aligned, and zero if so called.
  void took(Units& live, Address address, std::uint64_t size, bool known_zero) {
    if (address == 0) {
      return;
    }
    const Unit unit = {address - heap().base, allocator_->usable_bytes(address)};
    now_.taken.push_back(unit.offset);
    require(unit.size >= size, "{} bytes for {}", unit.size, size);
    // Blocks are aligned to their size; a run of slots that stands in for one, to a slot.
    const std::uint64_t align = std::min<std::uint64_t>(size & (~size + 1), Plan::region_bytes);
    require(unit.offset % align == 0, "{} bytes at {:#x}", size, unit.offset);
    Pages& pages = heap().memory.pages;
    const std::uint64_t mask = Memory::mask_touched(unit.offset, unit.size);
    require((pages.committed & mask) == mask, "{:#x} is not writable", unit.offset);
    require(!known_zero || (pages.written & mask) == 0, "{:#x} is not zero", unit.offset);
    pages.written |= mask;
    for (const Unit& other : live) {
      require(unit.offset + unit.size <= other.offset || other.offset + other.size <= unit.offset,
              "{:#x} overlaps {:#x}", unit.offset, other.offset);
    }
    live.insert(
        std::ranges::find_if(live, [&](const Unit& other) { return other.offset > unit.offset; }),
        unit);
  }

  void check_state() {
    require(PlainMutex::held().empty(), "a lock is held");
    require(heap().hooks.reports.empty(), "a good pointer was reported");
    require(allocator_->validate(Quiet::yes), "validate() says no");
  }

  void bad_frees(const Saved& saved, const Units& live) {
    auto next = live.begin();
    for (std::uint64_t offset = 0; offset < heap().heap_bytes; offset += Plan::item_bytes_min / 2) {
      if (next != live.end() && next->offset == offset) {
        ++next;
        continue;
      }
      allocator_->deallocate(AllocatorT::dead(), heap().base + offset);
      require(heap().hooks.reports.size() == 1, "bad free at {:#x}: {} reports", offset,
              heap().hooks.reports.size());
      heap().hooks.reports.clear();
      require(is_at(saved.image), "a bad free at {:#x} changed the books", offset);
      ++result_.bad_frees;
    }
  }

  // --- What is used, from the bits alone
  Units used() {
    Units units;
    auto& books = heap().books.of_everything();
    for (std::uint32_t slot = 0; slot < books.slots(); ++slot) {
      const plan::Class cls = books.region(slot).cls;
      const std::uint64_t start = std::uint64_t{slot} * Plan::region_bytes;
      if (Plan::is_item(cls)) {
        used_items(units, slot, cls, start);
      } else if (Plan::is_small(cls) ||
                 (Plan::is_block(cls) && slot % Plan::regions_per_segment == 0)) {
        const std::uint64_t size = Plan::unit_bytes(Plan::bin_of(cls));
        for (std::uint32_t block = 0; block < Plan::blocks_per_region(cls); ++block) {
          if (!books.free_blocks(slot).test(block)) {
            units.push_back({start + block * size, size});
          }
        }
      } else if (Plan::is_run(cls) && books.region(slot).run_units > 0) {
        units.push_back({start, books.region(slot).run_units * Plan::chunk_bytes});
      }
    }
    return units;
  }
  void used_items(Units& units, std::uint32_t slot, plan::Class cls, std::uint64_t start) {
    auto& books = heap().books.of_everything();
    for (std::uint32_t chunk = 0; chunk < books.region(slot).writable; ++chunk) {
      for (std::uint32_t item = 0;
           !books.free_chunks(slot).test(chunk) && item < Plan::items_per_chunk(cls); ++item) {
        if (!books.free_items(slot, chunk).test(item)) {
          units.push_back({start + chunk * Plan::chunk_bytes + item * Plan::unit_bytes(cls),
                           Plan::unit_bytes(cls)});
        }
      }
    }
  }
  // Pages that something live touches; with the rest of a run's last slots, whose dirt waits for
  // it.
  std::uint64_t pages_of(const Units& units) {
    std::uint64_t mask = 0;
    for (const Unit& unit : units) {
      const bool run = Plan::is_run(heap().class_at(unit.offset));
      const std::uint64_t step = !run                              ? 1
                                 : unit.size > Plan::segment_bytes ? Plan::segment_bytes
                                                                   : Plan::region_bytes;
      mask |= Memory::mask_touched(unit.offset, round_up(unit.size, step));
    }
    return mask;
  }

  bool has_room(const Units& live, std::uint64_t size) {
    Reference reference;
    reference.reset(heap().memory.part.begin, heap().memory.part.end);
    for (const Unit& unit : live) {
      reference.add({.offset = unit.offset, .size = unit.size, .usable = unit.size}, 0, 1);
    }
    return Room<Heap>(reference, heap()).surely_for(size, 1);
  }

  // --- The way to a violation, shortest first
  std::string trace() const {
    std::vector<Step> steps = {now_};
    for (std::uint32_t node = current_; node != 0; node = nodes_[node].parent) {
      steps.push_back(nodes_[node].step);
    }
    std::reverse(steps.begin(), steps.end());
    std::string text = "t0 detach\n";  // all goes straight to the books
    std::vector<std::uint64_t> order;  // what lives, in the order of allocation
    for (const Step& step : steps) {
      text += to_text(step, order);
      order.insert(order.end(), step.taken.begin(), step.taken.end());
      std::erase_if(order, [&](std::uint64_t offset) {
        return step.act == Act::deallocate && offset == step.operand;
      });
    }
    return text;
  }

  // In the words of the operation format; those of which it has none are said in brackets.
  static std::string to_text(const Step& step, const std::vector<std::uint64_t>& order) {
    std::uint64_t pattern = 0;
    for (std::size_t i = 0; i < step.refusals.size(); ++i) {
      pattern |= std::uint64_t{step.refusals[i]} << i;
    }
    std::string text = check::to_text({.kind = Kind::fail_memory, .number = pattern}) + "\n";
    const auto k =
        static_cast<std::uint64_t>(std::ranges::find(order, step.operand) - order.begin());
    switch (step.act) {
      case Act::start:
        return {};
      case Act::allocate:
        return text + check::to_text({.kind = Kind::allocate_known, .size = step.operand}) + "\n";
      case Act::deallocate:
        return text + check::to_text({.kind = Kind::deallocate, .k = k}) +
               fmt::format(" [at {:#x}]\n", step.operand);
      case Act::purge:
        return text + check::to_text({.kind = Kind::purge}) + "\n";
      case Act::attempt:
        return text + fmt::format("[take one of bin {}]\n", step.operand);
      case Act::pair:
        return text + "[take two items at once]\n";
    }
    return text;
  }

  std::unique_ptr<AllocatorT> allocator_ = std::make_unique<AllocatorT>();
  const SearchSpace space_;
  std::vector<std::pair<std::byte*, std::uint64_t>> ranges_;
  std::vector<std::uint64_t> sizes_;
  std::unordered_set<Digest, Hash> seen_;
  std::vector<Node> nodes_;
  std::deque<Saved> frontier_;
  std::uint32_t current_ = 0;
  Step now_;
  SearchResult result_;
};

}  // namespace strata::check
