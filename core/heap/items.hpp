// Group A: items of one class, in the chunks of that class's regions. Plain sequential code under
// the bin's lock.
//
// A chunk is free (in its region's free set), partial (in the partial set: some item is free) or
// full (in neither). A chunk or item that somebody holds outside the books, in a magazine or for a
// system call, looks used.
#pragma once

#include <bit>
#include <cassert>

#include "heap/outcome.hpp"
#include "heap/state.hpp"

namespace strata {

template <class State>
class Items {
  using Plan = typename State::Plan;
  using Map = typename State::Books::Map;
  using Class = typename State::Class;

 public:
  Items(State& state, Class cls)
      : state_(state), books_(state.books), bin_(state.books.bin(cls)), cls_(cls) {
    assert(Plan::is_item(cls));
  }

  // Takes up to `count` items, lowest address first, writing them downwards from `end`, so that a
  // stack filled this way pops the lowest first. Returns how many; 0 if the bin has nothing that is
  // writable.
  std::uint32_t take(Address* end, std::uint32_t count) {
    std::uint32_t taken = 0;
    for (std::uint32_t slot = bin_.head; slot != no_index && taken < count;) {
      const std::uint32_t next = books_.region(slot).next;  // the slot may leave the list
      taken += take_from_region(slot, end - taken, count - taken);
      slot = next;
    }
    return taken;
  }

  // Where an offset lies in this class's regions, and what is wrong with it as an item in use. The
  // caller has seen, under the lock, that the slot is of this class.
  struct Place {
    std::uint32_t slot, chunk, item;
    Problem problem;
  };
  Place place_of(std::uint64_t offset) const {
    const std::uint64_t byte = Plan::byte_in_chunk(offset);
    const std::uint64_t item = Plan::template item_index<std::uint64_t>(cls_, byte);
    Place place = {static_cast<std::uint32_t>(Plan::slot_of(offset)),
                   static_cast<std::uint32_t>(Plan::chunk_in_region(offset)),
                   static_cast<std::uint32_t>(item), Problem::none};
    if (item >= Plan::items_per_chunk(cls_) || item * Plan::unit_bytes(cls_) != byte) {
      place.problem = Problem::interior_pointer;
    } else if (place.chunk >= books_.region(place.slot).writable) {
      place.problem = Problem::unused_region;
    } else if (books_.free_chunks(place.slot).test(place.chunk) ||
               books_.free_items(place.slot, place.chunk).test(place.item)) {
      place.problem = Problem::double_free;
    }
    return place;
  }
  bool is_used(std::uint64_t offset) const { return place_of(offset).problem == Problem::none; }

  // Puts back the item at the first address, and those after it that lie in the same chunk: the
  // chunk is looked up, and its counts are brought up to date, once for all of them. Returns how many
  // addresses were looked at, at least one; bad(address, problem) is called for those not put.
  template <class Bad>
  std::uint32_t put(const Address* addresses, std::uint32_t count, Outcome& outcome, Bad bad) {
    const Place place = place_of(addresses[0] - state_.base);
    if (place.problem != Problem::none) {
      bad(addresses[0], place.problem);
      return 1;
    }
    Map items = books_.free_items(place.slot, place.chunk);
    const Address chunk_start = addresses[0] - Plan::byte_in_chunk(addresses[0] - state_.base);
    const std::uint64_t size = Plan::unit_bytes(cls_);
    const std::uint32_t end = capacity();
    std::uint32_t put = 0;
    std::uint32_t i = 0;
    // Neighbours come together: their bits are gathered, and written a word at a time.
    while (i < count && addresses[i] - chunk_start < Plan::chunk_bytes) {
      std::uint64_t w = no_index;
      std::uint64_t gathered = 0;
      for (; i < count && addresses[i] - chunk_start < Plan::chunk_bytes; ++i) {
        const std::uint64_t byte = addresses[i] - chunk_start;
        const std::uint64_t item = Plan::Items::template item_index<std::uint64_t>(cls_, byte);
        const std::uint64_t bit = std::uint64_t{1} << (item & (Plan::word_bits - 1));
        if (item * size != byte || item >= end) {
          bad(addresses[i], Problem::interior_pointer);
          continue;
        }
        if (item >> Plan::word_shift != w && gathered != 0) {
          break;
        }
        w = item >> Plan::word_shift;
        if ((gathered & bit) != 0) {
          bad(addresses[i], Problem::double_free);
        }
        gathered |= bit;
      }
      put += put_word(items, w, gathered, chunk_start, bad);
    }
    state_.hooks.on(Event::items_given, place.slot, place.chunk);
    outcome = after_items_put(place.slot, place.chunk, put);
    return i;
  }

  // The lowest region from `from` on with a free chunk that is not writable yet, or no_index.
  std::uint32_t growable_region(std::uint32_t from) const {
    const Map regions = books_.bin_regions(cls_);
    for (std::uint32_t slot = regions.first_from(from); slot != no_index;
         slot = regions.first_from(slot + 1)) {
      if (books_.free_chunks(slot).first_from(books_.region(slot).writable) != no_index) {
        return slot;
      }
    }
    return no_index;
  }

  // Takes a free chunk out of its region's free set: for a system call on its pages, or to open it.
  void hold_chunk(std::uint32_t slot, std::uint32_t c) {
    region_t& region = books_.region(slot);
    if (is_empty(region)) {
      --bin_.empty_regions;
    }
    const bool was_free = books_.free_chunks(slot).take(c);
    assert(was_free);
    (void)was_free;
    --region.free_units;
    state_.uncount_dirty(dirty_bytes(slot, c));
    state_.count_live(Plan::chunk_bytes);
    update_room(slot);
  }

  // The reverse. An empty region leaves the bin unless it is the only one.
  Outcome release_chunk(std::uint32_t slot, std::uint32_t c) {
    region_t& region = books_.region(slot);
    const bool was_held = books_.free_chunks(slot).put(c);
    assert(was_held);
    (void)was_held;
    ++region.free_units;
    state_.uncount_live(Plan::chunk_bytes);
    state_.count_dirty(dirty_bytes(slot, c));
    update_room(slot);
    if (!is_empty(region)) {
      return {};
    }
    ++bin_.empty_regions;
    return bin_.empty_regions > 1 ? close_region(slot) : Outcome{};
  }

  // Takes the items [first, last] of a chunk, all free, for a system call on their pages.
  void hold_items(std::uint32_t slot, std::uint32_t c, std::uint32_t first, std::uint32_t last) {
    Map items = books_.free_items(slot, c);
    take_out(slot, c, last - first + 1);
    for (std::uint32_t item = first; item <= last; ++item) {
      const bool was_free = items.take(item);
      assert(was_free);
      (void)was_free;
    }
    after_items_taken(slot, c);
  }

  Outcome release_items(std::uint32_t slot, std::uint32_t c, std::uint32_t first,
                        std::uint32_t last) {
    Map items = books_.free_items(slot, c);
    for (std::uint32_t item = first; item <= last; ++item) {
      const bool was_held = items.put(item);
      assert(was_held);
      (void)was_held;
    }
    return after_items_put(slot, c, last - first + 1);
  }

  // Makes a slot, which nobody else knows of and whose first chunks are writable, a region of this
  // class. Its dirt becomes that of its chunks.
  void open_region(std::uint32_t slot) {
    region_t& region = books_.region(slot);
    assert(region.cls == Plan::unused && region.writable > 0 && bin_.empty_regions == 0);
    for (std::uint32_t c = 0; c < region.writable; ++c) {
      books_.chunk(slot, c) = {};
      books_.chunk(slot, c).dirty_pages = c < region.dirty ? all_pages : std::uint16_t{0};
    }
    region.dirty = 0;
    region.free_units = Plan::chunks_per_region;
    region.partial_chunks = 0;
    books_.free_chunks(slot).fill(Plan::chunks_per_region);
    books_.partial_chunks(slot).clear(Plan::chunks_per_region);
    state_.publish_class(slot, cls_);
    books_.bin_list(cls_).insert(slot);
    ++bin_.regions;
    ++bin_.empty_regions;
    state_.hooks.on(Event::region_opened, slot, 0);
  }

  // Law 5's give-back: empty chunks to their regions, empty regions out of the bin, even the one of
  // each that is kept otherwise. Calls closed(Outcome) for each region.
  template <class Closed>
  void retire_empty(Closed closed) {
    const Map regions = books_.bin_regions(cls_);
    for (std::uint32_t slot = regions.first_from(0); slot != no_index;
         slot = regions.first_from(slot + 1)) {
      if (bin_.empty_chunks > 0) {
        retire_chunks(slot, closed);
      }
      if (is_empty(books_.region(slot)) && books_.region(slot).cls == cls_) {
        closed(close_region(slot));
      }
    }
    assert(bin_.empty_chunks == 0 && bin_.empty_regions == 0);
  }

 private:
  // Puts the items of one word; returns how many.
  template <class Bad>
  std::uint32_t put_word(Map items, std::uint64_t w, std::uint64_t mask, Address chunk_start,
                         Bad bad) {
    if (mask == 0) {
      return 0;
    }
    const std::uint64_t free_already = items.put_word(static_cast<std::uint32_t>(w), mask);
    for (std::uint64_t rest = free_already; rest != 0; rest &= rest - 1) {
      const std::uint64_t item = (w << Plan::word_shift) + lowest_bit(rest);
      bad(chunk_start + item * Plan::unit_bytes(cls_), Problem::double_free);
    }
    return static_cast<std::uint32_t>(std::popcount(mask & ~free_already));
  }

  static constexpr std::uint16_t all_pages =
      static_cast<std::uint16_t>((1U << Plan::pages_per_chunk) - 1);

  static bool is_empty(const region_t& region) {
    return region.free_units == Plan::chunks_per_region;
  }
  std::uint32_t capacity() const { return Plan::items_per_chunk(cls_); }
  std::uint64_t dirty_bytes(std::uint32_t slot, std::uint32_t c) const {
    return static_cast<std::uint64_t>(std::popcount(books_.chunk(slot, c).dirty_pages)) *
           Plan::page_bytes;
  }

  std::uint32_t take_from_region(std::uint32_t slot, Address* end, std::uint32_t count) {
    std::uint32_t taken = 0;
    while (taken < count) {
      std::uint32_t c = books_.partial_chunks(slot).first();
      if (c == no_index) {
        c = books_.free_chunks(slot).first();
        if (c == no_index || c >= books_.region(slot).writable) {
          break;
        }
        open_chunk(slot, c);
      }
      taken += take_from_chunk(slot, c, end - taken, count - taken);
    }
    return taken;
  }

  void open_chunk(std::uint32_t slot, std::uint32_t c) {
    hold_chunk(slot, c);
    books_.free_items(slot, c).fill(capacity());
    books_.chunk(slot, c).free_items = static_cast<std::uint16_t>(capacity());
    ++bin_.empty_chunks;
    make_partial(slot, c);
    state_.hooks.on(Event::chunk_opened, slot, c);
  }

  // Every item of the chunk is free.
  Outcome close_chunk(std::uint32_t slot, std::uint32_t c) {
    chunk_t& chunk = books_.chunk(slot, c);
    assert(chunk.free_items == capacity());
    books_.free_items(slot, c).clear(capacity());  // free chunks have one image
    chunk.free_items = 0;
    books_.partial_chunks(slot).take(c);
    --books_.region(slot).partial_chunks;
    state_.hooks.on(Event::chunk_closed, slot, c);
    return release_chunk(slot, c);
  }

  std::uint32_t take_from_chunk(std::uint32_t slot, std::uint32_t c, Address* end,
                                std::uint32_t count) {
    Map items = books_.free_items(slot, c);
    const std::uint32_t taken =
        std::min<std::uint32_t>(count, books_.chunk(slot, c).free_items);
    assert(taken > 0);
    take_out(slot, c, taken);
    const std::uint64_t size = Plan::unit_bytes(cls_);
    const Address chunk_start = state_.address_of((std::uint64_t{slot} << Plan::region_shift) +
                                                  (std::uint64_t{c} << Plan::chunk_shift));
    Address* out = end;
    Address* const out_end = end - taken;
    while (out != out_end) {
      const std::uint32_t w = items.first_word();
      const Address word_start = chunk_start + (std::uint64_t{w} << Plan::word_shift) * size;
      std::uint64_t word = items.word(w);
      do {
        *--out = word_start + lowest_bit(word) * size;
        word &= word - 1;
      } while (word != 0 && out != out_end);
      items.set_word(w, word);
    }
    // Items are taken in address order: all pages between the first and the last of them.
    mark_dirty(slot, c, end[-1] - chunk_start, *out + size - 1 - chunk_start);
    state_.hooks.on(Event::items_taken, slot, c);
    after_items_taken(slot, c);
    return taken;
  }

  void mark_dirty(std::uint32_t slot, std::uint32_t c, std::uint64_t first, std::uint64_t last) {
    const std::uint64_t below = (std::uint64_t{1} << (first >> Plan::page_shift)) - 1;
    const std::uint64_t through = (std::uint64_t{2} << (last >> Plan::page_shift)) - 1;
    books_.chunk(slot, c).dirty_pages |= static_cast<std::uint16_t>(through & ~below);
  }

  // The count and what hangs on it, before and after `count` bits of the chunk are cleared.
  void take_out(std::uint32_t slot, std::uint32_t c, std::uint32_t count) {
    chunk_t& chunk = books_.chunk(slot, c);
    if (chunk.free_items == capacity()) {
      --bin_.empty_chunks;
    }
    chunk.free_items = static_cast<std::uint16_t>(chunk.free_items - count);
  }
  void after_items_taken(std::uint32_t slot, std::uint32_t c) {
    if (books_.chunk(slot, c).free_items == 0) {
      books_.partial_chunks(slot).take(c);
      --books_.region(slot).partial_chunks;
      update_room(slot);
    }
  }

  Outcome after_items_put(std::uint32_t slot, std::uint32_t c, std::uint32_t count) {
    chunk_t& chunk = books_.chunk(slot, c);
    if (chunk.free_items == 0) {
      make_partial(slot, c);
    }
    chunk.free_items = static_cast<std::uint16_t>(chunk.free_items + count);
    if (chunk.free_items < capacity()) {
      return {};
    }
    if (bin_.empty_chunks > 0) {
      return close_chunk(slot, c);
    }
    ++bin_.empty_chunks;
    return {};
  }

  void make_partial(std::uint32_t slot, std::uint32_t c) {
    books_.partial_chunks(slot).put(c);
    ++books_.region(slot).partial_chunks;
    update_room(slot);
  }

  // The bin's list holds exactly the regions with a free or partial chunk.
  void update_room(std::uint32_t slot) {
    const region_t& region = books_.region(slot);
    const bool has_room = region.free_units > 0 || region.partial_chunks > 0;
    auto list = books_.bin_list(cls_);
    if (has_room != list.contains(slot)) {
      has_room ? list.insert(slot) : list.remove(slot);
    }
  }

  template <class Closed>
  void retire_chunks(std::uint32_t slot, Closed closed) {
    const Map partial = books_.partial_chunks(slot);
    for (std::uint32_t c = partial.first_from(0); c != no_index; c = partial.first_from(c + 1)) {
      if (books_.chunk(slot, c).free_items == capacity()) {
        --bin_.empty_chunks;
        const Outcome outcome = close_chunk(slot, c);
        if (outcome.closed_slots > 0) {
          closed(outcome);
          return;
        }
      }
    }
  }

  Outcome close_region(std::uint32_t slot) {
    region_t& region = books_.region(slot);
    assert(is_empty(region) && region.partial_chunks == 0);
    books_.bin_list(cls_).remove(slot);
    --bin_.regions;
    --bin_.empty_regions;
    for (std::uint32_t c = 0; c < region.writable; ++c) {
      if (books_.chunk(slot, c).dirty_pages != 0) {
        state_.uncount_dirty(dirty_bytes(slot, c));
        region.dirty = static_cast<std::uint16_t>(c + 1);
      }
    }
    state_.count_dirty(region.dirty * Plan::chunk_bytes);
    region.free_units = 0;
    state_.publish_class(slot, Plan::unused);
    state_.hooks.on(Event::region_closed, slot, 0);
    return {.closed_slot = slot, .closed_slots = 1};
  }

  State& state_;
  typename State::Books& books_;
  bin_t& bin_;
  Class cls_;
};

}  // namespace strata
