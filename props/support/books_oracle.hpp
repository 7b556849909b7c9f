// What the books must say of one live object, read bit by bit and apart from validate().
#pragma once

#include "props/support/reference.hpp"

namespace strata::check {

template <class Heap>
class BooksOracle {
  using Plan = typename Heap::State::Plan;

 public:
  static constexpr std::uint64_t none = ~std::uint64_t{0};

  explicit BooksOracle(Heap& heap) : books_(heap.books.of_everything()) {}

  // The unit of a class that the thread of a cache is to be given next: of the lowest of their
  // regions that has one ready, in the lowest partial chunk before the lowest free one. None if
  // they have to grow first.
  std::uint64_t lowest_ready(plan::Class bin, std::uint64_t cache_slot) const {
    const std::uint64_t shards = books_.layout().shards;
    std::uint64_t found = none;
    for (std::uint32_t slot = 0; slot < books_.slots() && found == none; ++slot) {
      const std::uint32_t cls = books_.region(slot).cls;
      const bool lead = !Plan::is_block(cls) || slot % Plan::regions_per_segment == 0;
      const bool sibling =
          Plan::is_item(bin) && slot / Plan::slots_per_turn % shards != cache_slot % shards;
      if (Plan::bin_class(cls) == bin && lead && !sibling) {
        found = Plan::is_item(bin) ? lowest_item(slot, bin) : lowest_block(slot, bin);
      }
    }
    return found;
  }

  void require_live(const Object& object) const {
    const auto slot = static_cast<std::uint32_t>(object.offset / Plan::region_bytes);
    const std::uint32_t cls = books_.region(slot).cls;
    if (Plan::is_run(cls)) {
      require(books_.region(slot).run_units * Plan::chunk_bytes == object.usable,
              "live run at {:#x}: {} bytes, the books say {} units", object.offset, object.usable,
              books_.region(slot).run_units);
    } else if (Plan::is_item(cls)) {
      require_item(object, slot, cls);
    } else {
      require(cls != Plan::unused, "live object at {:#x}, its slot {} is unused", object.offset,
              slot);
      require_block(object, slot, cls);
    }
  }

 private:
  std::uint64_t lowest_item(std::uint32_t slot, plan::Class cls) const {
    const std::uint64_t start = std::uint64_t{slot} * Plan::region_bytes;
    const std::uint32_t partial = books_.partial_chunks(slot).first();
    if (partial != no_index) {
      return start + partial * Plan::chunk_bytes +
             books_.free_items(slot, partial).first() * Plan::unit_bytes(cls);
    }
    const std::uint32_t free = books_.free_chunks(slot).first();
    return free < books_.region(slot).writable ? start + free * Plan::chunk_bytes : none;
  }

  std::uint64_t lowest_block(std::uint32_t lead, plan::Class bin) const {
    const std::uint64_t unit = Plan::unit_bytes(bin);
    const std::uint32_t block = books_.free_blocks(lead).first();
    const std::uint64_t writable = books_.region(lead).span_writable * Plan::chunk_bytes;
    const bool ready = block != no_index && (block + std::uint64_t{1}) * unit <= writable;
    return ready ? std::uint64_t{lead} * Plan::region_bytes + block * unit : none;
  }

  void require_item(const Object& object, std::uint32_t slot, std::uint32_t cls) const {
    const std::uint64_t in_region = object.offset % Plan::region_bytes;
    const auto chunk = static_cast<std::uint32_t>(in_region / Plan::chunk_bytes);
    const auto item =
        static_cast<std::uint32_t>(in_region % Plan::chunk_bytes / Plan::unit_bytes(cls));
    require(object.usable == Plan::unit_bytes(cls), "live item at {:#x}: {} bytes, class {}",
            object.offset, object.usable, cls);
    require(chunk < books_.region(slot).writable && !books_.free_chunks(slot).test(chunk),
            "live item at {:#x}: its chunk is free", object.offset);
    require(!books_.free_items(slot, chunk).test(item), "live item at {:#x} is free in the books",
            object.offset);
  }

  void require_block(const Object& object, std::uint32_t slot, std::uint32_t cls) const {
    const std::uint64_t unit = Plan::unit_bytes(Plan::bin_class(cls));
    const std::uint32_t lead = Plan::is_small(cls) ? slot : slot - slot % Plan::regions_per_segment;
    const auto block = static_cast<std::uint32_t>(
        (object.offset - std::uint64_t{lead} * Plan::region_bytes) / unit);
    require(object.usable == unit, "live block at {:#x}: {} bytes, class {}", object.offset,
            object.usable, cls);
    require(!books_.free_blocks(lead).test(block), "live block at {:#x} is free in the books",
            object.offset);
  }

  const typename Heap::Records& books_;
};

}  // namespace strata::check
