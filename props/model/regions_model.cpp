// Regions of items, by their chunks: held, released, opened, closed, against plain sets.

#include <bit>
#include <map>

#include "heap/chunks.hpp"
#include "props/model/level.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

template <class Plan>
class RegionsModel : public Level<Plan> {
  using Base = Level<Plan>;
  using Base::heap_, Base::nth;
  static constexpr plan::Class cls = 1;
  static constexpr std::uint32_t segments = 2;

  struct Region {
    std::set<std::uint32_t> free;
    std::map<std::uint32_t, std::uint16_t> dirt;  // pages, of chunks that have any
  };

 public:
  RegionsModel() : Base({.segments = segments}), chunks_(heap_, cls) {}

  static constexpr Command<RegionsModel> commands[] = {{"open", &RegionsModel::open},
                                                       {"hold", &RegionsModel::hold},
                                                       {"hold again", &RegionsModel::hold},
                                                       {"release", &RegionsModel::release},
                                                       {"extend", &RegionsModel::extend}};

  void check() {
    std::vector<std::uint32_t> with_room;
    std::uint32_t empty = 0;
    std::uint64_t held = 0, dirty = 0;
    for (const auto& [slot, region] : regions_) {
      const region_t& record = heap_.books.of_everything().region(slot);
      for (std::uint32_t c = 0; c < Plan::chunks_per_region; ++c) {
        RC_ASSERT(heap_.books.of_everything().free_chunks(slot).test(c) == region.free.contains(c));
        held += region.free.contains(c) ? 0 : 1;
      }
      for (const auto& [c, pages] : region.dirt) {
        dirty += region.free.contains(c) ? bytes_of(pages) : 0;
      }
      RC_ASSERT(record.free_units == region.free.size());
      RC_ASSERT(heap_.class_at(std::uint64_t{slot} << Plan::region_shift) == cls);
      empty += is_empty(region) ? 1 : 0;
      if (!region.free.empty()) {
        with_room.push_back(slot);
      }
    }
    for (const auto& [slot, chunks] : dirt_of_closed_) {
      RC_ASSERT(heap_.class_at(std::uint64_t{slot} << Plan::region_shift) == Plan::unused);
      RC_ASSERT(heap_.books.of_everything().region(slot).dirty == chunks);
      dirty += chunks * Plan::chunk_bytes;
    }
    RC_ASSERT(this->listed(cls) == with_room);
    RC_ASSERT(heap_.books.of_everything().bin(cls).regions == regions_.size());
    RC_ASSERT(heap_.books.of_everything().bin(cls).empty_regions == empty);
    RC_ASSERT(this->live_bytes() == held * Plan::chunk_bytes);
    RC_ASSERT(this->dirty_bytes() == dirty);
    for (std::uint32_t from = 0; from <= heap_.books.slots(); ++from) {
      RC_ASSERT(chunks_.growable_region(from) == growable(from));
    }
  }

 private:
  static bool is_empty(const Region& region) {
    return region.free.size() == Plan::chunks_per_region;
  }

  static std::uint64_t bytes_of(std::uint16_t pages) {
    return static_cast<std::uint64_t>(std::popcount(pages)) * Plan::page_bytes;
  }

  // Only where the bin has no empty region, as growth does.
  void open(std::uint32_t writable, std::uint32_t) {
    if (heap_.books.of_everything().bin(cls).empty_regions > 0) {
      return;
    }
    Segments<typename Base::State> segments_of_heap(heap_);
    const std::uint32_t slot = segments_of_heap.take_slot();
    if (slot == no_index) {
      return;
    }
    this->make_writable(slot, writable % Plan::chunks_per_region + 1);
    Region& region = regions_[slot];
    for (std::uint32_t c = 0; c < Plan::chunks_per_region; ++c) {
      region.free.insert(c);
    }
    for (std::uint32_t c = 0; c < dirt_of_closed_[slot]; ++c) {
      region.dirt[c] = static_cast<std::uint16_t>((1U << Plan::pages_per_chunk) - 1);
    }
    // Counted by whole chunks while the slot is unused, as by their pages from now on.
    dirt_of_closed_.erase(slot);
    chunks_.open_region(slot);
  }

  void hold(std::uint32_t r, std::uint32_t k) {
    const std::vector<std::uint32_t> slots = this->listed(cls);
    if (!slots.empty()) {
      const std::uint32_t slot = nth(slots, r);
      const std::uint32_t c = nth(regions_[slot].free, k);
      chunks_.hold_chunk(slot, c);
      regions_[slot].free.erase(c);
      held_.insert({slot, c});
    }
  }

  // Those that are writable with more or less dirt than before.
  void release(std::uint32_t k, std::uint32_t dirt) {
    if (held_.empty()) {
      return;
    }
    const auto [slot, c] = nth(held_, k);
    held_.erase({slot, c});
    Region& region = regions_[slot];
    if (c < heap_.books.of_everything().region(slot).writable) {
      region.dirt[c] = static_cast<std::uint16_t>(dirt % (1U << Plan::pages_per_chunk));
      heap_.books.of_everything().chunk(slot, c).dirty_pages = region.dirt[c];
    }
    region.free.insert(c);
    const Outcome outcome = chunks_.release_chunk(slot, c);
    const bool closes = is_empty(region) && count_empty() > 1;
    RC_ASSERT((outcome.closed_slots == (closes ? 1U : 0U)));
    if (closes) {
      RC_ASSERT(outcome.closed_slot == slot);
      dirt_of_closed_[slot] = 0;
      for (const auto& [chunk, pages] : region.dirt) {
        dirt_of_closed_[slot] = pages != 0 ? chunk + 1 : dirt_of_closed_[slot];
      }
      regions_.erase(slot);
      Segments<typename Base::State>(heap_).put_slots(slot, 1);
    }
  }

  // One more chunk of some region becomes writable.
  void extend(std::uint32_t r, std::uint32_t) {
    if (!regions_.empty()) {
      region_t& record = heap_.books.of_everything().region(nth(regions_, r).first);
      if (record.writable < Plan::chunks_per_region) {
        ++record.writable;
      }
    }
  }

  std::uint32_t growable(std::uint32_t from) const {
    for (const auto& [slot, region] : regions_) {
      if (slot >= from && !region.free.empty() &&
          *region.free.rbegin() >= heap_.books.of_everything().region(slot).writable) {
        return slot;
      }
    }
    return no_index;
  }
  std::size_t count_empty() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(regions_, [](const auto& r) { return is_empty(r.second); }));
  }

  Chunks<typename Base::State> chunks_;
  std::map<std::uint32_t, Region> regions_;
  std::map<std::uint32_t, std::uint32_t> dirt_of_closed_;   // chunks, of slots that were regions
  std::set<std::pair<std::uint32_t, std::uint32_t>> held_;  // slot, chunk
};

template <class Plan>
class Regions : public testing::Test {};
using Plans = testing::Types<Tiny, Small, SmallQuarter>;
TYPED_TEST_SUITE(Regions, Plans);

TYPED_TEST(Regions, AreSetsOfChunks) {
  property([] { any_commands(RegionsModel<TypeParam>()); });
}

using Model = RegionsModel<Tiny>;

// One region, whose chunks are writable.
void open(Model& m) { command(m, "open", Tiny::chunks_per_region - 1); }

TEST(RegionsModelItself, LooksAtTheBooks) {
  const std::pair<const char*, void (*)(Model&)> lies[] = {
      {"free_chunks(slot).test(c)", [](Model& m) { m.books().free_chunks(0).take(1); }},
      {"record.free_units", [](Model& m) { ++m.books().region(0).free_units; }},
      {"== cls", [](Model& m) { m.heap().publish_class(0, Tiny::unused); }},
      {"this->listed(cls)", [](Model& m) { m.books().bin(1).head = no_index; }},
      {"bin(cls).regions", [](Model& m) { ++m.books().bin(1).regions; }},
      {"bin(cls).empty_regions", [](Model& m) { ++m.books().bin(1).empty_regions; }},
      {"this->live_bytes()", [](Model& m) { m.books().control().live_bytes = 1; }},
      {"this->dirty_bytes()", [](Model& m) { m.books().control().dirty_bytes = 1; }}};
  for (const auto& [oracle, lie] : lies) {
    expect_said(oracle, [lie] {
      Model model;
      open(model);
      model.check();
      lie(model);
      model.check();
    });
  }
}

// Two chunks are held, another region opens, and the first closes.
void close(Model& m) {
  open(m);
  command(m, "hold"), command(m, "hold");
  open(m);
  command(m, "release"), command(m, "release");
  m.check();
}

TEST(RegionsModelItself, LooksAtWhatWasClosed) {
  expect_said<Model>("== Plan::unused", [](Model& m) {
    close(m);
    m.heap().publish_class(0, 1);
  });
  expect_said<Model>(".dirty == chunks", [](Model& m) {
    close(m);
    ++m.books().region(0).dirty;
  });
  expect_said<Model>("outcome.closed_slots ==", [](Model& m) {
    open(m);
    command(m, "hold");
    m.books().bin(1).empty_regions = 1;
    command(m, "release");
  });
}

}  // namespace
}  // namespace strata::check
