// A heap whose books are sound, and what it takes to break them and put them back.
#pragma once

#include <bit>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "props/unit/room.hpp"

namespace strata::check {

// A heap with something of everything: a region of items with full, partial and free chunks, one of
// blocks, a run, an unused slot that is dirty.
class Validation : public testing::Test {
 protected:
  using Plan = plan::Pow2;
  static constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
  using Records = RealAllocator<Plan>::Heap::Records;

  Validation() {
    auto* const dead = room->dead();
    for (std::uint64_t i = 0; i < 3 * items; ++i) {
      const Address item = room->allocate(dead, item_bytes);
      EXPECT_NE(item, 0U);
      first_item = first_item == 0 ? item : first_item;
    }
    room->deallocate(dead, first_item + Plan::chunk_bytes + item_bytes);
    const Address block = room->allocate(dead, mib), other = room->allocate(dead, mib);
    room->deallocate(dead, room->allocate(dead, mib));
    const Address run = room->allocate(dead, gib + gib / 2);
    const Address gone = room->allocate(dead, 16 * kib);
    const Address kept = room->allocate(dead, 8 * kib);
    EXPECT_TRUE(block != 0 && other != 0 && run != 0 && gone != 0 && kept != 0);
    room->deallocate(dead, gone);
    slot = slot_of(first_item);
    block_slot = slot_of(block);
    EXPECT_TRUE(Plan::is_small(room->heap().class_at(block - room->heap().base)));
    run_slot = slot_of(run);
    // The one empty region that its bin keeps is retired by hand of the last resort.
    unused = slot_of(gone);
    EXPECT_TRUE(sound());
  }
  ~Validation() override { EXPECT_TRUE(sound()); }

  std::uint32_t slot_of(Address address) {
    return static_cast<std::uint32_t>(Plan::slot_of(address - room->heap().base));
  }
  bool sound() {
    const bool holds = room->validate(Quiet::yes);
    EXPECT_EQ(holds, room.hooks().reports.empty());
    room.take_problems();
    return holds;
  }

  // Breaks the books, asks, and puts everything back as it was. `where` is the slot that is named
  // with the invariant.
  void expect_named(const char* invariant, std::uint32_t where,
                    const std::function<void()>& corrupt) {
    const auto image = save();
    corrupt();
    EXPECT_FALSE(room->validate(Quiet::yes)) << invariant;
    bool named = false;
    std::string others;
    for (const Report& report : room.hooks().reports) {
      EXPECT_EQ(report.problem, Problem::broken_invariant);
      named = named || (std::strcmp(report.invariant, invariant) == 0 && report.slot == where);
      others += std::string("\n  ") + report.invariant + " at " + std::to_string(report.slot);
    }
    EXPECT_TRUE(named) << '"' << invariant << "\" is not among what was reported:" << others;
    room.take_problems();
    restore(image);
    EXPECT_TRUE(sound()) << invariant;
  }

  // Control space, and book and item map of each slot that has them.
  std::vector<std::pair<std::byte*, std::uint64_t>> ranges() {
    auto& memory = room->heap().memory;
    std::vector<std::pair<std::byte*, std::uint64_t>> all = {
        {memory.base(Space::control), books().layout().control_bytes}};
    for (std::uint32_t s = 0; s < books().slots(); ++s) {
      if (ready.empty() ? books().region(s).books_ready != 0 : ready[s]) {
        all.push_back({memory.base(Space::books) + s * Records::Layout::book_bytes,
                       Records::Layout::book_bytes});
        all.push_back({memory.base(Space::item_map) + s * Records::Layout::item_map_bytes,
                       Records::Layout::item_map_bytes});
      }
    }
    return all;
  }
  std::vector<std::byte> save() {
    ready.clear();
    for (std::uint32_t s = 0; s < books().slots(); ++s) {
      ready.push_back(books().region(s).books_ready != 0);
    }
    std::vector<std::byte> image;
    for (const auto& [begin, size] : ranges()) {
      image.insert(image.end(), begin, begin + size);
    }
    return image;
  }
  void restore(const std::vector<std::byte>& image) {
    const std::byte* from = image.data();
    for (const auto& [begin, size] : ranges()) {
      std::memcpy(begin, from, size);
      from += size;
    }
  }

  // Nothing else runs.
  [[clang::no_thread_safety_analysis]]
  void publish(std::uint32_t s, plan::Class cls) {
    room->heap().publish_class(s, cls);
  }
  const Records& books() { return room->heap().books.of_everything(); }
  region_t& region(std::uint32_t s) { return books().region(s); }
  bin_t& bin(plan::Class cls) { return books().bin(cls); }

  // Changes a word of a map, but not its summary.
  static void put_unnoticed(Records::Map map, std::uint32_t index) {
    EXPECT_FALSE(map.test(index));
    const auto inside = std::bit_cast<InsideOfMap>(map);
    inside.words[index / Plan::word_bits] |= std::uint64_t{1} << (index % Plan::word_bits);
  }

  struct InsideOfMap {
    std::uint64_t* summary;
    std::uint64_t* words;
    std::uint32_t summary_words;
  };

  static constexpr std::uint64_t item_bytes = 4 * kib;
  static constexpr std::uint64_t items = Plan::chunk_bytes / item_bytes;  // a chunk
  static constexpr plan::Class cls = Plan::class_for(item_bytes);

  Room<Plan> room{16};
  Address first_item = 0;
  std::uint32_t slot = 0, block_slot = 0, run_slot = 0, unused = 0;
  std::vector<bool> ready;  // as saved
};

}  // namespace strata::check
