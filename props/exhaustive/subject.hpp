// The heap under search: takes one operation at a time, under given answers of the system, and
// checks what came of it against what lived before.
//
// All that is used is held by the search, so what lives can be read from the books, bit by bit and
// apart from validate(), and every operation must change it by exactly what it took or gave.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cache/allocator.hpp"
#include "props/exhaustive/books_image.hpp"
#include "props/exhaustive/requests.hpp"
#include "props/exhaustive/search_memory.hpp"
#include "props/exhaustive/used_units.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/room.hpp"

namespace strata::check {

// `Memory` is SearchMemory, or one that lies.
template <class PlanT, class Memory>
class Subject {
 public:
  using Plan = PlanT;
  using Heap = strata::Heap<Plan, Memory, PlainSync, CheckHooks>;
  using AllocatorT = Allocator<Heap>;
  using Pages = typename Memory::Pages;

  struct State {
    Words books;
    Pages pages;
    Units<Plan> live;
  };

  explicit Subject(const SearchSpace& space)
      : allocator_(opened(space)),
        image_(heap()),
        hashes_(image_.words() + positions_beside_books) {
    start_here();
  }

  Heap& heap() { return allocator_->heap(); }
  AllocatorT& allocator() { return *allocator_; }
  Memory& memory() { return heap().memory; }
  const Memory& memory() const { return allocator_->heap().memory; }

  // --- Where it is -----------------------------------------------------------------------------

  // The state that operations start from.
  const State& start() const { return start_; }

  // `words` as from copy_to().
  void start_at(const Words& words) {
    image_.restore(words);
    memory().pages = {words[words.size() - 2], words[words.size() - 1]};
    start_here();
  }
  // All of where it is now but what lives, which the books say.
  void copy_to(Words& words) const {
    image_.copy_to(words);
    words.push_back(memory().pages.committed);
    words.push_back(memory().pages.written);
  }
  // What the last operation led to.
  void start_here() {
    image_.copy_to(start_.books);
    start_.pages = memory().pages;
    start_.live = live_ = used_units(heap());
    start_digest_ = {};
    for (std::size_t i = 0; i < start_.books.size(); ++i) {
      hashes_.add(start_digest_, i, start_.books[i]);
    }
    given_back_.clear();
    reference_.reset();
  }
  void back_to_start() {
    image_.restore(start_.books);
    memory().pages = start_.pages;
    live_ = start_.live;
  }
  bool is_at_start() const { return image_.is_at(start_.books); }
  Words books() const {
    Words words;
    image_.copy_to(words);
    return words;
  }
  bool is_at(const Words& books) const { return image_.is_at(books); }
  const Units<Plan>& live() const { return live_; }

  // Of the books, the pages and what should live: a state in which something else is used than
  // should be is a new one, and check_state() sees it.
  Digest digest() const {
    Digest digest = start_digest_;
    image_.each_change(start_.books, [&](std::size_t i, std::uint64_t before, std::uint64_t now) {
      hashes_.remove(digest, i, before);
      hashes_.add(digest, i, now);
    });
    std::size_t position = image_.words();
    const auto add = [&](std::uint64_t word) { hashes_.add(digest, position++, word); };
    add(memory().pages.committed);
    add(memory().pages.written);
    live_.each_word(add);
    return digest;
  }

  // --- Operations ------------------------------------------------------------------------------

  // From the start, each call of the system answered as told. Returns how many calls there were.
  unsigned perform(const Move& move, std::uint32_t refusals) {
    memory().answers = {.refusals = refusals};
    found_no_room_ = false;
    switch (move.kind) {
      case Kind::allocate_known:
      case Kind::allocate_aligned:
        allocate(move);
        break;
      case Kind::deallocate:
        deallocate(move.operand);
        break;
      case Kind::purge:
        allocator_->purge(AllocatorT::dead());
        break;
      case Kind::advance:
        purge_when_due();
        break;
      default:
        violated("no move of the search");
    }
    const unsigned calls = memory().answers.calls;
    const bool any_refused = memory().answers.refusals != 0;
    memory().answers = {};
    require(PlainMutex::held().empty(), "a lock is held");
    require(heap().hooks.reports.empty(), "a good pointer was reported");
    if (move.kind == Kind::purge && !any_refused) {
      require((memory().pages.written & ~pages_kept(heap(), live_)) == 0,
              "purged, yet something is left where nothing lives");
    }
    return calls;
  }
  // Whether it was an allocation that found no room.
  bool found_no_room() const { return found_no_room_; }

  // What holds in every state, recomputed from scratch.
  void check_state() {
    require(used_units(heap()) == live_, "what is used is not what should live");
    require((pages_touched(heap(), live_) & ~memory().pages.written) == 0,
            "the contents of something that lives were dropped");
    require(allocator_->validate(Quiet::yes), "validate() says no");
    require(image_.rest_is_zero(), "something was written beside the books");
  }

  // Notes a unit that was handed out: it must be new, writable, aligned, and zero if so called.
  void took(Address address, std::uint64_t size, std::uint64_t align, bool known_zero) {
    const std::uint64_t offset = address - heap().base;
    const std::uint64_t usable = allocator_->usable_bytes(address);
    require(usable >= size, "{} bytes for {}", usable, size);
    // Units are aligned to what divides their size; a run of slots that stands in for a block, to a
    // slot.
    const std::uint64_t natural =
        std::min<std::uint64_t>(usable & (~usable + 1), Plan::region_bytes);
    require(offset % std::max(natural, align) == 0, "{} bytes at {:#x}", size, offset);
    require(offset >= memory().part.begin && offset + usable <= memory().part.end,
            "{:#x} is absent", offset);
    Pages& pages = memory().pages;
    const std::uint64_t mask = Memory::mask_touched(offset, usable);
    require((pages.committed & mask) == mask, "{:#x} is not writable", offset);
    require(!known_zero || (pages.written & mask) == 0, "{:#x} is not zero", offset);
    pages.written |= mask;
    require(!live_.touches(offset, usable), "{:#x} overlaps what lives", offset);
    live_.add(offset, usable);
  }

  // Notes that a unit is longer than it was.
  void grew(std::uint64_t offset, std::uint64_t size) {
    live_.remove(offset);
    took(heap().base + offset, size, 1, false);
  }

  // Law 5's give-back alone, from the start: a request that nothing can meet fails after it.
  const Words& given_back() {
    if (given_back_.empty()) {
      const Words now = books();
      const Pages pages = memory().pages;
      image_.restore(start_.books);
      Address address = 0;
      const Request impossible = {Plan::run, heap().heap_bytes + 1, 1};
      const Taken taken = heap().take_last(impossible, &address + 1, 1, [] {});
      require(taken.count == 0 && memory().answers.calls == 0, "an impossible request was tried");
      require(used_units(heap()) == start_.live, "the give-back changed what lives");
      image_.copy_to(given_back_);
      image_.restore(now);
      memory().pages = pages;
    }
    return given_back_;
  }

 private:
  static constexpr std::size_t positions_beside_books = 2 + 2 * Units<Plan>::granules_max / 64;

  void allocate(const Move& move) {
    const std::uint64_t size = move.operand;
    const std::uint64_t align = std::uint64_t{1} << move.align_shift;
    Allocation got;
    if (move.kind == Kind::allocate_known) {
      got = allocator_->allocate_known(AllocatorT::dead(), size);
    } else {
      got.address = allocator_->allocate_aligned(AllocatorT::dead(), size, align);
    }
    found_no_room_ = got.address == 0;
    if (got.address != 0) {
      return took(got.address, size, align, got.known_zero);
    }
    const Answers answers = std::exchange(memory().answers, {});
    require(is_at(given_back()), "law 4: {} bytes failed and left more than the give-back", size);
    memory().answers = answers;
    require(answers.refusals != 0 || !has_room(size, align), "spurious failure: {} bytes", size);
  }

  // Law 7 as well: what becomes empty is given up only if the bin keeps another.
  void deallocate(std::uint64_t offset) {
    auto& books = heap().books.of_everything();
    const plan::Class cls = heap().class_at(offset);
    const plan::Class bin = Plan::bin_class(cls);
    live_.remove(offset);
    allocator_->deallocate(AllocatorT::dead(), heap().base + offset);
    if (Plan::is_run(cls)) {
      return;
    }
    require(books.bin(bin).regions > 0, "law 7: bin {} kept no empty region", bin);
    const auto slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const auto chunk = static_cast<std::uint32_t>(Plan::chunk_in_region(offset));
    require(!Plan::is_item(bin) || books.bin(bin).empty_chunks > 0 ||
                (heap().class_at(offset) == cls && !books.free_chunks(slot).test(chunk)),
            "law 7: bin {} kept no empty chunk", bin);
  }

  // The delayed purge, once. The clock goes back afterwards, so that states stay few.
  void purge_when_due() {
    auto& due = heap().books.control().purge_due_ms;
    const std::uint64_t before = due.load();
    memory().clock_ms = before;
    heap().purge_if_due();
    require(due.load() > before, "the delayed purge did not run");
    due.store(before);
    memory().clock_ms = 0;
  }

  // For law 5: what lived at the start, in classes that it still has.
  bool has_room(std::uint64_t size, std::uint64_t align) {
    if (!reference_) {
      reference_.emplace();
      reference_->reset(memory().part.begin, memory().part.end);
      start_.live.each([&](std::uint64_t offset, std::uint64_t bytes) {
        reference_->add({.offset = offset, .size = bytes, .usable = bytes}, 0, 1);
      });
    }
    return Room<Heap>(*reference_, heap()).surely_for(size, align);
  }

  static std::unique_ptr<AllocatorT> opened(const SearchSpace& space) {
    auto allocator = std::make_unique<AllocatorT>();
    Heap& heap = allocator->heap();
    heap.memory.part = {space.first_slot * Plan::region_bytes, space.end_slot * Plan::region_bytes};
    const std::uint32_t segments = (space.end_slot - 1) / Plan::regions_per_segment + 1;
    require(allocator->open(segments), "open failed");
    require(heap.heap_bytes <= Units<Plan>::granules_max * Units<Plan>::granule_bytes,
            "the state search knows {} granules", Units<Plan>::granules_max);
    heap.purge_if_due();  // starts the clock, which then stands still
    return allocator;
  }

  std::unique_ptr<AllocatorT> allocator_;
  BooksImage<Heap> image_;
  WordHashes hashes_;
  State start_;
  Digest start_digest_;
  Units<Plan> live_;
  bool found_no_room_ = false;
  Words given_back_;                    // from the start, once asked for
  std::optional<Reference> reference_;  // of what lives at the start, once asked for
};

}  // namespace strata::check
