// Runs operations on an allocator beside the reference, and looks at everything after each.
//
// Every check uses it: fuzz targets, the RapidCheck model, reproducers. A violation goes to the
// handler of violation.hpp.
#pragma once

#include <array>
#include <memory>

#include "cache/allocator.hpp"
#include "props/support/books_oracle.hpp"
#include "props/support/check_hooks.hpp"
#include "props/support/operation.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/reference.hpp"
#include "props/support/room.hpp"
#include "props/support/runner.hpp"
#include "props/support/watch.hpp"

namespace strata::check {

template <class Plan>
using ScriptedHeap = Heap<Plan, ScriptedMemory<Plan>, PlainSync, TouchHooks>;

// `AllocatorT` has the interface of Allocator; tests of the checks wrap one that lies.
template <class AllocatorT>
class Driver final : public Runner {
  using Plan = typename AllocatorT::Plan;
  using Heap = typename AllocatorT::Heap;
  using Cache = typename AllocatorT::Cache;
  using Memory = typename Heap::State::Memory;

 public:
  Driver(const Setup& setup, const Effort& effort) : effort_(effort), world_(heap().memory) {
    world_.prepare(setup);
    require(allocator_.open(setup.segments()), "open of {} segments failed", setup.segments());
    const Range present = heap().memory.present();
    live_.reset(present.begin, std::min(present.end, heap().heap_bytes));
  }
  ~Driver() override {
    PlainMutex::held().clear();  // what a violation left behind
    allocator_.close();
  }

  void execute(const Operation& op) override {
    if (op.kind == Kind::repeat) {
      times_ = std::min(op.number, effort_.operations_max) + 1;
      return;
    }
    const std::uint64_t asked = std::exchange(times_, 1);
    const std::uint64_t times = is_repeatable(op.kind) ? asked : 1;
    for (std::uint64_t i = 1; i <= times && executed_ < effort_.operations_max; ++i) {
      ++executed_;
      const std::uint64_t failed = failed_allocations_;
      execute_once(op);
      watch_.after(op);
      // Of thousands alike, those after 1, 2, 4, 8 ... are looked at from scratch.
      if (executed_ % effort_.validate_interval == 0 && (std::has_single_bit(i) || i == times)) {
        watch_.validate();
      }
      if (failed_allocations_ != failed) {
        break;  // what failed once would only fail again
      }
    }
  }

  void finish() override {
    world_.fail({});
    watch_.contents(0, ~std::uint64_t{0});
    for (std::uint64_t k = 0; live_.live() > 0; k = k * 5 + 3) {
      deallocate(static_cast<std::uint8_t>(k % program_threads), live_.nth(k));
    }
    detach_all();
    allocator_.purge(AllocatorT::dead());
    watch_.nothing_dirty();
    watch_.validate();
    const std::uint64_t most = segments_present() * Plan::segment_bytes;
    if (most > 0) {
      require(adopt(allocator_.allocate(AllocatorT::dead(), most), most, 1, false),
              "everything was freed, yet {:#x} bytes cannot be allocated", most);
    }
  }

  const Reference& live() const { return live_; }
  std::uint64_t failed_allocations() const override { return failed_allocations_; }

 private:
  Heap& heap() { return allocator_.heap(); }

  // Thousands of the others would show nothing new, slowly.
  static bool is_repeatable(Kind kind) {
    return kind == Kind::allocate || kind == Kind::allocate_aligned || kind == Kind::deallocate ||
           kind == Kind::allocate_known || kind == Kind::resize;
  }

  void execute_once(const Operation& op) {
    switch (op.kind) {
      case Kind::allocate:
        return (void)allocate(op.thread, op.size, 1);
      case Kind::allocate_aligned:
        return (void)allocate(op.thread, op.size, std::uint64_t{1} << op.align_shift);
      case Kind::allocate_known:
        return allocate_known(op.thread, op.size);
      case Kind::purge:
        return purge(op.thread);
      case Kind::advance:
        return world_.advance(op.number);
      case Kind::attach:
        return attach(op.thread);
      case Kind::detach:
        return detach(op.thread);
      case Kind::fail_memory:
        return world_.fail({.pattern = op.number, .repeats = op.repeats});
      case Kind::validate:
        return watch_.validate();
      case Kind::repeat:
      case Kind::choices:
        return;
      case Kind::resize:
      case Kind::deallocate:
      case Kind::bad_deallocate:
        break;
    }
    if (op.kind == Kind::bad_deallocate) {
      bad_deallocate(op);
    } else if (live_.live() > 0) {
      const Object object = live_.nth(op.k);
      op.kind == Kind::resize ? resize(op.thread, object, op.size) : deallocate(op.thread, object);
    }
  }

  // --- Threads: each begins at its first operation, and again at an attach after its detach
  Cache* cache(std::uint8_t thread) {
    Thread& t = threads_[thread];
    if (!t.born) {
      attach(thread);
    }
    return t.cache;
  }
  void attach(std::uint8_t thread) {
    Thread& t = threads_[thread];
    t.born = true;
    if (t.cache == AllocatorT::dead()) {
      t.cache = allocator_.attach();
    }
  }
  void detach(std::uint8_t thread) {
    Thread& t = threads_[thread];
    t.born = true;
    if (t.cache != AllocatorT::dead()) {
      keeps_bound([&] { allocator_.detach(std::exchange(t.cache, AllocatorT::dead())); });
    }
  }
  void detach_all() {
    for (std::uint8_t thread = 0; thread < program_threads; ++thread) {
      detach(thread);
    }
  }
  bool alone(std::uint8_t thread) const {
    for (std::uint8_t other = 0; other < program_threads; ++other) {
      if (other != thread && threads_[other].cache != AllocatorT::dead()) {
        return false;
      }
    }
    return true;
  }

  // --- Allocating
  Address allocate(std::uint8_t thread, std::uint64_t size, std::uint64_t align) {
    const auto attempt = [&] {
      return align == 1 ? allocator_.allocate(cache(thread), size)
                        : allocator_.allocate_aligned(cache(thread), size, align);
    };
    const std::uint64_t refused = world_.refused();
    const std::uint64_t lowest = lowest_ready(thread, Plan::aligned_size(size, align));
    Address address = attempt();
    require(lowest == BooksOracle<Heap>::none || address == heap().base + lowest,
            "{} bytes at {:#x}, but the lowest that is free lies at {:#x}", size,
            address - heap().base, lowest);
    if (address == 0 && world_.refused() == refused &&
        Room<Heap>(live_, heap()).surely_for(size, align)) {
      // Law 5: only what other threads' magazines hold may stand in the way.
      for (std::uint8_t other = 0; other < program_threads; ++other) {
        if (other != thread) {
          detach(other);
        }
      }
      address = attempt();
      require(address != 0 || world_.refused() != refused,
              "spurious failure: {} bytes at {:#x}, no memory refused, room there is", size, align);
    }
    adopt(address, size, align, false);
    return address;
  }

  // Where a request must be served that no magazine can serve: the bin's lowest unit.
  std::uint64_t lowest_ready(std::uint8_t thread, std::uint64_t size) {
    const plan::Class bin = size == 0 ? Plan::run : Plan::class_for(size);
    const bool held =
        cache(thread) != AllocatorT::dead() && (Plan::is_item(bin) || AllocatorT::Blocks::has(bin));
    return held || size > heap().heap_bytes || Plan::is_run(bin)
               ? BooksOracle<Heap>::none
               : BooksOracle<Heap>(heap()).lowest_ready(bin, cache(thread)->slot);
  }

  void allocate_known(std::uint8_t thread, std::uint64_t size) {
    const Allocation allocation = allocator_.allocate_known(cache(thread), size);
    adopt(allocation.address, size, 1, allocation.known_zero);
  }

  bool adopt(Address address, std::uint64_t size, std::uint64_t align, bool known_zero) {
    if (address == 0) {
      ++failed_allocations_;
      return false;
    }
    const Object object = {.offset = address - heap().base,
                           .size = std::max<std::uint64_t>(size, 1),
                           .usable = allocator_.usable_bytes(address),
                           .tag = ++last_tag_};
    live_.add(object, heap().base, std::max(align, Plan::item_bytes_min));
    require(world_.is_writable(object.offset, object.end()),
            "object at {:#x}, {} bytes, not writable", object.offset, object.usable);
    require(!known_zero || world_.holds(object.offset, object.offset + size, 0),
            "object at {:#x}, {} bytes: said to be zero, is not", object.offset, size);
    world_.write(object.offset, object.end(), object.tag);
    return true;
  }

  // As realloc does it.
  void resize(std::uint8_t thread, const Object& object, std::uint64_t size) {
    const Address address = heap().base + object.offset;
    if (size == 0) {
      return deallocate(thread, object);
    }
    if (allocator_.resize_in_place(address, size)) {
      watch_.content(object, std::min(object.size, size));
      Object resized = object;
      resized.size = size;
      resized.usable = allocator_.usable_bytes(address);
      live_.resize(resized);
      world_.write(resized.offset, resized.end(), resized.tag);
    } else if (allocate(thread, size, 1) != 0) {
      deallocate(thread, object);
    }
    // What could not grow is left alone; the watch looks.
  }

  // --- Giving back
  void deallocate(std::uint8_t thread, Object object) {
    watch_.content(object, object.usable);
    live_.remove(object.offset);
    keeps_bound([&] { allocator_.deallocate(cache(thread), heap().base + object.offset); });
  }

  // What goes back leaves no more dirty than the bound, or than was dirty before.
  template <class Call>
  void keeps_bound(Call call) {
    const std::uint64_t refused = world_.refused();
    const std::uint64_t dirty_before = heap().dirty_bytes();
    call();
    const std::uint64_t live = heap().live_bytes();
    const std::uint64_t refused_now =
        heap().books.control().refused_bytes.load(std::memory_order_relaxed);
    require(refused_now == 0 || world_.refused() > 0, "what was refused, the system refused");
    const std::uint64_t bound = std::max(Heap::dirty_bytes_max, live / 8) + refused_now;
    require(heap().dirty_bytes() <= std::max(bound, dirty_before) || world_.refused() != refused,
            "{} free bytes are dirty, bound {}", heap().dirty_bytes(), bound);
  }

  void bad_deallocate(const Operation& op) {
    switch (op.bad) {
      case Bad::twice: {
        const auto freed = live_.freed();
        return freed.empty() ? void() : bad_at_once(freed[op.k % freed.size()]);
      }
      case Bad::foreign: {
        // On either side of the space, and 0 excepted.
        const std::uint64_t outside = heap().heap_bytes + op.number % (~heap().heap_bytes);
        return heap().base + outside == 0 ? void() : bad_at_once(outside);
      }
      case Bad::unused: {
        const std::uint64_t slots = heap().heap_bytes / Plan::region_bytes;
        const std::uint64_t slot = (op.k % slots) * Plan::region_bytes;
        return live_.touches(slot, slot + Plan::region_bytes)
                   ? void()
                   : bad_at_once(slot + op.number % Plan::region_bytes);
      }
      case Bad::interior:
      case Bad::late_interior:
      case Bad::late_twice:
        break;
    }
    if (live_.live() == 0) {
      return;
    }
    const Object object = live_.nth(op.k);
    const std::uint64_t inside = object.offset + 1 + op.number % (object.usable - 1);
    if (op.bad == Bad::interior) {
      return bad_at_once(inside);
    }
    if (op.bad == Bad::late_twice) {
      deallocate(op.thread, object);
    }
    bad_by_detach(op.thread, op.bad == Bad::late_twice ? object.offset : inside);
  }

  // With every magazine empty, and straight to the books: reported at once, and nothing changes.
  void bad_at_once(std::uint64_t offset) {
    detach_all();
    heap().purge_if_due();  // so that the next call does not
    const std::uint64_t decommits = world_.decommits();
    const Digest before = digest();
    allocator_.deallocate(AllocatorT::dead(), heap().base + offset);
    expect_report(offset);
    // It may be the occasion to give dirty memory back, if that was refused before.
    require(world_.decommits() != decommits || digest() == before,
            "a bad free at {:#x} changed the books", offset);
  }

  void bad_by_detach(std::uint8_t thread, std::uint64_t offset) {
    allocator_.deallocate(cache(thread), heap().base + offset);
    detach(thread);
    expect_report(offset);
  }

  void expect_report(std::uint64_t offset) {
    std::vector<Report>& reports = heap().hooks.reports;
    require(reports.size() == 1 && reports[0].address == heap().base + offset,
            "bad free at {:#x}: {} reports{}", offset, reports.size(),
            reports.empty() ? "" : ", or of another address");
    reports.clear();
  }

  Digest digest() const {
    if constexpr (World::is_scripted) {
      return world_.books_digest();
    } else {
      return {};
    }
  }

  void purge(std::uint8_t thread) {
    const std::uint64_t refused = world_.refused();
    allocator_.purge(cache(thread));
    if (alone(thread) && world_.refused() == refused) {
      watch_.nothing_dirty();
    }
  }

  std::uint64_t segments_present() const {
    const std::uint64_t first = round_up(live_.begin(), Plan::segment_bytes);
    return (live_.end() - first) / Plan::segment_bytes;
  }

  using World = check::World<Memory>;
  struct Thread {
    Cache* cache = AllocatorT::dead();
    bool born = false;
  };

  const Effort effort_;
  AllocatorT allocator_;
  World world_;
  Reference live_;
  Watch<AllocatorT> watch_{allocator_, world_, live_};
  std::array<Thread, program_threads> threads_;
  Tag last_tag_ = 0;
  std::uint64_t times_ = 1;  // from a repeat, for the next operation
  std::uint64_t executed_ = 0;
  std::uint64_t failed_allocations_ = 0;
};

// A whole program on a fresh allocator of `Plan`.
template <class Plan>
void run_program(const Program& program, const Effort& effort = {}) {
  // On the heap: the stack of a fuzz target has better uses.
  std::make_unique<Driver<Allocator<ScriptedHeap<Plan>>>>(program.setup, effort)->run(program);
}

}  // namespace strata::check
