// What must hold of an allocator between operations: it keeps its invariants, agrees with the
// reference, and leaves the contents of live objects alone. A violation goes to the handler of
// violation.hpp.
#pragma once

#include <algorithm>

#include "cache/allocator.hpp"
#include "props/support/books_oracle.hpp"
#include "props/support/operation.hpp"
#include "props/support/plain_sync.hpp"
#include "props/support/reference.hpp"
#include "props/support/world.hpp"

namespace strata::check {

template <class AllocatorT>
class Watch {
  using Plan = typename AllocatorT::Plan;
  using Heap = typename AllocatorT::Heap;
  using World = check::World<typename Heap::State::Memory>;

 public:
  // `world` is the memory of `allocator`, `live` what it must have handed out.
  Watch(AllocatorT& allocator, World& world, const Reference& live)
      : allocator_(allocator), world_(world), live_(live) {}

  // What an operation may have broken.
  void after(const Operation& op) {
    const std::vector<Report>& reports = heap().hooks.reports;
    if (!reports.empty()) {
      violated(fmt::format("{}: reported as bad, {:#x}: {}", to_text(op),
                           reports[0].address - heap().base, describe(reports[0].problem)));
    }
    touched_units();
    require(PlainMutex::held().empty(), "an operation returned with a lock held");
    require(world_.mappings() <= heap().books.layout().mappings_max(), "{} mappings, bound {}",
            world_.mappings(), heap().books.layout().mappings_max());
    world_.each_dropped([this](std::uint64_t begin, std::uint64_t end) { contents(begin, end); });
  }

  // Everything, from scratch.
  void validate() {
    require(allocator_.validate(Quiet::yes), "validate() says no");
    for (const Object& object : live_.objects()) {
      BooksOracle<Heap>(heap()).require_live(object);
    }
    for (std::uint64_t slot = 0; slot < heap().books.slots(); ++slot) {
      const std::uint64_t begin = slot * Plan::region_bytes;
      require(world_.is_advised(
                  begin, begin + Plan::region_bytes,
                  heap().books.of_everything().region(static_cast<std::uint32_t>(slot)).pages),
              "the system was told something else of the pages at {:#x} than the books say", begin);
    }
    contents(0, ~std::uint64_t{0});
  }

  void content(const Object& object, std::uint64_t bytes) const {
    require(world_.holds(object.offset, object.offset + bytes, object.tag),
            "the live object at {:#x}, {} bytes, lost its contents", object.offset, object.usable);
  }
  void contents(std::uint64_t begin, std::uint64_t end) const {
    live_.each_in(begin, end, [&](const Object& object) { content(object, object.usable); });
  }

  // Every page that nothing live touches reads as zero, and costs nothing.
  void nothing_dirty() {
    if constexpr (World::is_scripted) {
      world_.each_written([&](std::uint64_t begin, std::uint64_t end, Tag tag) {
        for (std::uint64_t page = begin & ~(Plan::page_bytes - 1); page < end;
             page += Plan::page_bytes) {
          // What lies past the end of a run, in its last slots, waits for the end of the run.
          bool touched = Plan::is_run(heap().class_at(page)) || waits_for_last_item(page);
          live_.each_in(page, page + Plan::page_bytes, [&](const Object& object) {
            touched = true;
            page = std::max(page, object.tag == tag ? end - 1 : page);
          });
          require(touched, "purged, yet page {:#x} is dirty and nothing live is on it", page);
        }
        return true;
      });
    }
  }

 private:
  Heap& heap() { return allocator_.heap(); }

  // What the operation changed, recomputed from its bit maps. Nothing else runs.
  [[clang::no_thread_safety_analysis]]
  void touched_units() {
    auto& touched = heap().hooks.touched;
    if (touched.empty()) {
      return;
    }
    std::ranges::sort(touched);
    touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
    Reports reports;
    const role::Alone alone;  // no other thread, so that each look is at books at rest
    RegionValidator<Heap> validator(heap(), reports);
    for (const auto& [slot, unit] : touched) {
      const auto bin = Plan::bin_class(heap().class_at(Plan::slot_start(slot)));
      if (Plan::is_item(bin) || Plan::is_block(bin)) {  // else it is closed, or a run
        validator.unit(slot, unit);
      }
    }
    touched.clear();
    reports.deliver(heap().hooks);
  }

  // What is behind the last item of a chunk goes with that item.
  bool waits_for_last_item(std::uint64_t page) {
    const plan::Class cls = heap().class_at(page);
    if (!Plan::is_item(cls)) {
      return false;
    }
    const std::uint64_t last = (page & ~(Plan::chunk_bytes - 1)) +
                               (Plan::items_per_chunk(cls) - 1) * Plan::unit_bytes(cls);
    return page > last && live_.starts_at(last);
  }

  AllocatorT& allocator_;
  World& world_;
  const Reference& live_;
};

}  // namespace strata::check
