// Group A, items: those of one bin, in its chunks. Plain sequential code under the bin's lock.
//
// An item that somebody holds outside the books, in a magazine or for a system call, looks used.
#pragma once

#include <bit>
#include <cassert>

#include "heap/chunks.hpp"

namespace strata {

template <class State>
class Items : public Chunks<State> {
  using Base = Chunks<State>;
  using Base::bin_, Base::books_, Base::cls_, Base::number_, Base::state_;
  using Base::close_region, Base::end_partial, Base::is_empty, Base::make_partial,
      Base::update_room;
  using typename Base::Class, typename Base::Map, typename Base::Plan;

 public:
  using Base::hold_chunk, Base::release_chunk;

  [[clang::requires_capability(role::Bin::held)]]
  Items(State& state, plan::Bin bin)
      : Base(state, bin) {}

  struct Batch {
    std::uint32_t count = 0;
    // Pages that no item has lain on and those of the batch do, and up to three behind them: about
    // to be touched. Empty if there is little to gain.
    Range untouched{};
  };
  // Takes up to `count` items, lowest address first, writing them downwards from `end`, so that a
  // stack filled this way pops the lowest first. None if the bin has nothing that is writable.
  [[clang::requires_capability(role::Bin::held)]]
  Batch take(Address* end, std::uint32_t count) {
    Taking taking = {end, count, state_.quarter(), count >= populated_batch_min, {}};
    for (std::uint32_t slot = bin_.head; slot != no_index && taking.left > 0;) {
      const std::uint32_t next = books_.region(slot).next;  // the slot may leave the list
      take_from_region(slot, taking);
      slot = next;
    }
    return {count - taking.left, taking.untouched};
  }

  // Where an offset lies in this class's regions, and what is wrong with it as an item in use. The
  // caller has seen, under the lock, that the slot is of this class.
  struct Place {
    std::uint32_t slot, chunk, item;
    Problem problem;
  };
  [[clang::requires_capability(role::Bin::held)]]
  Place place_of(std::uint64_t offset) const {
    const std::uint64_t byte = Plan::byte_in_chunk(offset);
    const std::uint64_t item = Plan::template item_index<std::uint64_t>(cls_, byte);
    Place place = {static_cast<std::uint32_t>(Plan::slot_of(offset)),
                   static_cast<std::uint32_t>(Plan::chunk_in_region(offset)),
                   static_cast<std::uint32_t>(item), Problem::none};
    if (!Plan::is_unit_start(cls_, offset)) {
      place.problem = Problem::interior_pointer;
    } else if (place.chunk >= books_.region(place.slot).writable) {
      place.problem = Problem::unused_region;
    } else if (books_.free_chunks(place.slot).test(place.chunk) || is_held(place, byte) ||
               books_.free_items(place.slot, place.chunk).test(place.item)) {
      place.problem = Problem::double_free;
    }
    return place;
  }
  [[clang::requires_capability(role::Bin::held)]]
  bool is_used(std::uint64_t offset) const {
    return place_of(offset).problem == Problem::none;
  }

  // Puts back the item at the first address, and those after it that lie in the same chunk: the
  // chunk is looked up, and its counts are brought up to date, once for all of them. Returns how
  // many addresses were looked at, at least one; bad(address, problem) is called for those not put.
  template <class Bad>
  [[clang::requires_capability(role::Bin::held)]]
  std::uint32_t put(const Address* addresses, std::uint32_t count, Outcome& outcome, Bad bad) {
    const std::uint64_t offset = addresses[0] - state_.base;
    const std::uint32_t slot = static_cast<std::uint32_t>(Plan::slot_of(offset));
    const std::uint32_t c = static_cast<std::uint32_t>(Plan::chunk_in_region(offset));
    const Address chunk_start = addresses[0] - Plan::byte_in_chunk(offset);
    const bool is_simple = c < books_.region(slot).writable && !books_.free_chunks(slot).test(c) &&
                           books_.chunk(slot, c).held_pages == 0;
    if (!is_simple) {
      // Each one must be looked at by itself.
      const Place place = place_of(offset);
      if (place.problem != Problem::none) {
        bad(addresses[0], place.problem);
        return 1;
      }
      count = 1;
    }
    std::uint32_t put_count = 0;
    std::uint32_t i = 0;
    while (i < count && addresses[i] - chunk_start < Plan::chunk_bytes) {
      const std::uint32_t run =
          put_run(books_.free_items(slot, c), cls_, chunk_start, addresses + i, count - i);
      put_count += run;
      i += run;
      if (i < count && addresses[i] - chunk_start < Plan::chunk_bytes) {
        bad(addresses[i], place_of(addresses[i] - state_.base).problem);
        ++i;
      }
    }
    if (put_count > 0) {
      state_.hooks.on(Event::items_given, slot, c);
      outcome = after_items_put(slot, c, put_count);
    }
    return i;
  }

  // Takes the items [first, last] of a chunk, all free, for a system call on their pages.
  [[clang::requires_capability(role::Bin::held)]]
  void hold_items(std::uint32_t slot, std::uint32_t c, std::uint32_t first, std::uint32_t last) {
    assert(first <= last && last < capacity());
    Map items = books_.free_items(slot, c);
    take_out(slot, c, last - first + 1);
    for (std::uint32_t item = first; item <= last; ++item) {
      const bool was_free = items.take(item);
      assert(was_free);
      (void)was_free;
    }
    after_items_taken(slot, c);
  }

  [[clang::requires_capability(role::Bin::held)]]
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

  // Law 5's give-back: empty chunks to their regions, empty regions out of the bin, even the one of
  // each that is kept otherwise. Calls closed(Outcome) for each region.
  template <class Closed>
  [[clang::requires_capability(role::Bin::held, role::Segments::held)]]
  void retire_empty(Closed closed) {
    const Map regions = books_.bin_regions(number_);
    for (std::uint32_t slot = regions.first_from(0); slot != no_index;
         slot = regions.first_from(slot + 1)) {
      if (bin_.empty_chunks > 0) {
        retire_chunks(slot, closed);
      }
      if (is_empty(books_.region(slot))) {
        closed(close_region(slot));
      }
    }
    assert(bin_.empty_chunks == 0 && bin_.empty_regions == 0);
  }

 private:
  // A purger holds what is free: it looks used, but freeing it is freeing it twice. It may hold the
  // last item for the pages behind it alone.
  bool is_held(const Place& place, std::uint64_t byte) const {
    const std::uint64_t end = byte + Plan::unit_bytes(cls_);
    const bool is_last = place.item == capacity() - 1;
    const std::uint16_t touched = pages(byte, is_last ? Plan::chunk_bytes - 1 : end - 1);
    return (books_.chunk(place.slot, place.chunk).held_pages & touched) != 0;
  }

  // Puts back used items of one chunk up to an address that is none. Returns how many. Every free
  // comes through here: no more is alive in this loop than registers hold.
  static std::uint32_t put_run(Map items, Class cls, Address chunk_start, const Address* addresses,
                               std::uint32_t count) {
    const std::uint64_t size = Plan::unit_bytes(cls);
    const std::uint64_t last_start = (Plan::items_per_chunk(cls) - 1) * size;
    typename Map::Putter putter(items);
    std::uint32_t i = 0;
    for (; i < count; ++i) {
      const std::uint64_t byte = addresses[i] - chunk_start;
      const std::uint64_t item = Plan::Items::template item_index<std::uint64_t>(cls, byte);
      if (byte > last_start || item * size != byte || !putter.put(static_cast<std::uint32_t>(item)))
          [[unlikely]] {
        break;
      }
    }
    putter.finish();
    return i;
  }

  // One take, as it goes on.
  struct Taking {
    Address* end;        // the next item goes below
    std::uint32_t left;  // to take
    std::uint16_t quarter;
    bool is_large;  // a batch that is worth populating for
    Range untouched;
  };
  // Populating is for batches of a thread that came back for more, twice what a first refill asks
  // for: what an idle thread holds costs no memory. Items of such batches are no larger than half a
  // page.
  static constexpr std::uint32_t populated_batch_min = 16;

  std::uint32_t capacity() const { return Plan::items_per_chunk(cls_); }
  [[clang::requires_capability(role::Bin::held)]]
  void take_from_region(std::uint32_t slot, Taking& taking) {
    while (taking.left > 0) {
      std::uint32_t c = books_.partial_chunks(slot).first();
      if (c == no_index) {
        c = books_.free_chunks(slot).first();
        if (c == no_index || c >= books_.region(slot).writable) {
          break;
        }
        open_chunk(slot, c);
      }
      take_from_chunk(slot, c, taking);
    }
  }

  [[clang::requires_capability(role::Bin::held)]]
  void open_chunk(std::uint32_t slot, std::uint32_t c) {
    hold_chunk(slot, c);
    books_.free_items(slot, c).fill(capacity());
    books_.chunk(slot, c).free_items = static_cast<std::uint16_t>(capacity());
    ++bin_.empty_chunks;
    make_partial(slot, c);
    state_.hooks.on(Event::chunk_opened, slot, c);
  }

  // Every item of the chunk is free.
  [[clang::requires_capability(role::Bin::held)]]
  Outcome close_chunk(std::uint32_t slot, std::uint32_t c) {
    chunk_t& chunk = books_.chunk(slot, c);
    assert(chunk.free_items == capacity());
    books_.free_items(slot, c).clear(capacity());  // free chunks have one image
    chunk.free_items = 0;
    chunk.searched = 0;
    end_partial(slot, c);
    state_.hooks.on(Event::chunk_closed, slot, c);
    return release_chunk(slot, c);
  }

  [[clang::requires_capability(role::Bin::held)]]
  void take_from_chunk(std::uint32_t slot, std::uint32_t c, Taking& taking) {
    Map items = books_.free_items(slot, c);
    chunk_t& chunk = books_.chunk(slot, c);
    const std::uint32_t taken = std::min<std::uint32_t>(taking.left, chunk.free_items);
    assert(taken > 0);
    take_out(slot, c, taken);
    const Address chunk_start = state_.address_of(Plan::chunk_start(slot, c));
    Address* const out_end = taking.end - taken;
    take_lowest(items, chunk_start, taking.end, out_end);
    // Items are taken in address order: all pages between the first and the last of them.
    const std::uint16_t touched =
        pages(taking.end[-1] - chunk_start, *out_end + Plan::unit_bytes(cls_) - 1 - chunk_start);
    const auto fresh = static_cast<std::uint16_t>(touched & ~chunk.dirty_pages);
    const bool is_first = taking.untouched.begin == taking.untouched.end;
    const bool is_worth_it = taking.is_large || c >= Plan::filling_chunks;
    if (fresh != 0 && is_worth_it && is_first && may_populate(slot, c)) {
      taking.untouched = widen(slot, c, touched, fresh);
    }
    chunk.dirty_pages |= touched;
    chunk.taken_at = taking.quarter;
    chunk.searched = 0;
    taking.end = out_end;
    taking.left -= taken;
    state_.hooks.on(Event::items_taken, slot, c);
    after_items_taken(slot, c);
  }

  // The lowest of a chunk's free items, from `out` downwards to `out_end`: there are as many.
  void take_lowest(Map items, Address chunk_start, Address* out, Address* out_end) {
    const std::uint64_t size = Plan::unit_bytes(cls_);
    while (out != out_end) {
      const std::uint32_t w = items.first_word();
      const Address word_start = chunk_start + (std::uint64_t{w} << Plan::word_shift) * size;
      std::uint64_t word = items.word(w);
      if (word == Map::full_word && out - out_end >= static_cast<std::ptrdiff_t>(Map::word_bits)) {
        // A run of free items, as a fresh chunk is: nothing to search for.
        for (std::uint64_t item = 0; item < Map::word_bits; ++item) {
          *--out = word_start + item * size;
        }
        word = 0;
      } else {
        do {
          *--out = word_start + lowest_bit(word) * size;
          word &= word - 1;
        } while (word != 0 && out != out_end);
      }
      items.set_word(w, word);
    }
  }

  // Where pages are small, and behind what a process takes that needs next to nothing. Of an item
  // of several pages a program may touch one.
  [[clang::requires_capability(role::Bin::held)]]
  bool may_populate(std::uint32_t slot, std::uint32_t c) const {
    return Plan::unit_bytes(cls_) < 2 * Plan::page_bytes && c >= Plan::sparse_chunks &&
           books_.region(slot).pages != Pages::huge;
  }
  // The pages of the chunk from the lowest fresh one to the end of the group in which the touched
  // ones end, or of the chunk, up to one that others may have. What is populated is dirty, used or
  // not, so that a purge finds it.
  [[clang::requires_capability(role::Bin::held)]]
  Range widen(std::uint32_t slot, std::uint32_t c, std::uint16_t touched, std::uint16_t fresh) {
    chunk_t& chunk = books_.chunk(slot, c);
    const std::uint64_t others = chunk.dirty_pages | std::uint64_t{chunk.held_pages};
    const std::uint64_t lowest = lowest_bit(std::uint64_t{fresh});
    const std::uint64_t group_end =
        round_up(highest_bit(std::uint64_t{touched}) + 1, std::uint64_t{Plan::populated_pages});
    const std::uint64_t limit =
        c < Plan::filling_chunks ? std::min(group_end, used_pages()) : used_pages();
    const std::uint64_t stop = lowest_bit(others >> lowest | std::uint64_t{1} << (limit - lowest));
    const std::uint64_t begin = lowest << Plan::page_shift;
    const std::uint64_t end = (lowest + stop) << Plan::page_shift;
    chunk.dirty_pages |= pages(begin, end - 1);
    const std::uint64_t start = Plan::chunk_start(slot, c);
    return {start + begin, start + end};
  }
  // Behind those no item lies.
  std::uint64_t used_pages() const {
    return ((capacity() * Plan::unit_bytes(cls_) - 1) >> Plan::page_shift) + 1;
  }
  // The pages from that of byte `first` of a chunk to that of byte `last`.
  static std::uint16_t pages(std::uint64_t first, std::uint64_t last) {
    const std::uint64_t below = (std::uint64_t{1} << (first >> Plan::page_shift)) - 1;
    const std::uint64_t through = (std::uint64_t{2} << (last >> Plan::page_shift)) - 1;
    return static_cast<std::uint16_t>(through & ~below);
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
      end_partial(slot, c);
      update_room(slot);
    }
  }

  [[clang::requires_capability(role::Bin::held)]]
  Outcome after_items_put(std::uint32_t slot, std::uint32_t c, std::uint32_t count) {
    chunk_t& chunk = books_.chunk(slot, c);
    if (chunk.free_items == 0) {
      make_partial(slot, c);
    }
    chunk.free_items = static_cast<std::uint16_t>(chunk.free_items + count);
    chunk.searched = 0;
    if (chunk.free_items < capacity()) {
      return {};
    }
    if (bin_.empty_chunks > 0) {
      return close_chunk(slot, c);
    }
    ++bin_.empty_chunks;
    return {};
  }

  template <class Closed>
  [[clang::requires_capability(role::Bin::held, role::Segments::held)]]
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
};

}  // namespace strata
