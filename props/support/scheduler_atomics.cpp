// The scheduler's atomic operations: which store a load returns, and what it learns by that.
#include <cstring>

#include "props/support/scheduler.hpp"
#include "props/support/scheduler_plain.hpp"

namespace strata::check {

namespace {

using std::memory_order;  // C++20's scoped enum

bool acquires(memory_order order) {
  return order == memory_order::acquire || order == memory_order::consume ||
         order == memory_order::acq_rel || order == memory_order::seq_cst;
}
bool releases(memory_order order) {
  return order == memory_order::release || order == memory_order::acq_rel ||
         order == memory_order::seq_cst;
}
bool is_seq_cst(memory_order order) { return order == memory_order::seq_cst; }

std::uint64_t bytes_of(const void* object, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, object, size);
  return value;
}

std::string in_words(const char* what, const void* object, std::uint64_t value) {
  return std::string(what) + " " + plain_memory().name(object) + ": " + std::to_string(value);
}

}  // namespace

Location& Scheduler::location(const void* object, std::size_t size) {
  const std::uint64_t bytes = bytes_of(object, size);
  Location& at = locations_.find(object, [bytes](Location& fresh) { fresh.begin(bytes); });
  if (at.store(at.newest()).value != bytes) {
    fail("an atomic was overwritten by plain code");
  }
  return at;
}

void Scheduler::forget_atomics(std::uintptr_t begin, std::uintptr_t end) {
  locations_.for_each_in(begin, end, [](const void*, Location& at) { at.begin(0); });
}

// How many stores back from the newest, of `options` permitted.
std::uint32_t Scheduler::choose_store(std::uint32_t options) {
  if (stale_reads_ == bounds_.stale_reads) {
    return 0;
  }
  const std::uint32_t back = choose(options);
  stale_reads_ += back != 0 ? 1 : 0;
  return back;
}

std::uint64_t Scheduler::read(Location& at, std::uint32_t index, memory_order order) {
  const Location::Store& store = at.store(index);
  at.note_read(current_, self().clock, index, is_seq_cst(order));
  if (acquires(order)) {
    self().clock.join(store.released);
  }
  return store.value;
}

// `inherited`: what the store replaced by a read-modify-write had released (a release sequence).
void Scheduler::write(Location& at, void* object, std::size_t size, std::uint64_t value,
                      const Clock& inherited, memory_order order) {
  Location::Store store{value, inherited};
  if (releases(order)) {
    store.released.join(self().clock);
  }
  at.add(current_, self().clock, store, is_seq_cst(order));
  if (releases(order)) {
    tick();
  }
  std::memcpy(object, &value, size);
}

std::uint64_t Scheduler::load(const void* object, std::size_t size, memory_order order) {
  point();
  Location& at = location(object, size);
  const std::uint32_t newest = at.newest();
  const std::uint32_t back = choose_store(newest - at.floor(self().clock, is_seq_cst(order)) + 1);
  const std::uint64_t value = read(at, newest - back, order);
  if (tracing_) {
    trace(in_words("load", object, value) +
          (back == 0 ? "" : ", stale by " + std::to_string(back)));
  }
  return value;
}

void Scheduler::store(void* object, std::size_t size, std::uint64_t value, memory_order order) {
  point();
  write(location(object, size), object, size, value, Clock{}, order);
  if (tracing_) {
    trace(in_words("store", object, value));
  }
}

std::uint64_t Scheduler::update_begin(void* object, std::size_t size, memory_order order) {
  point();
  Location& at = location(object, size);
  return read(at, at.newest(), order);
}

void Scheduler::update_end(void* object, std::size_t size, std::uint64_t value,
                           memory_order order) {
  Location& at = location(object, size);
  const Clock inherited = at.store(at.newest()).released;
  write(at, object, size, value, inherited, order);
  if (tracing_) {
    trace(in_words("update", object, value));
  }
}

// A failure is a load, so it may return an old value, as long as that differs from the expected.
bool Scheduler::compare_exchange(void* object, std::size_t size, std::uint64_t& expected,
                                 std::uint64_t desired, memory_order success,
                                 memory_order failure) {
  point();
  Location& at = location(object, size);
  const std::uint32_t newest = at.newest();
  std::uint32_t wanted = choose_store([&] {
    std::uint32_t options = 1;
    for (std::uint32_t i = at.floor(self().clock, is_seq_cst(failure)); i < newest; ++i) {
      options += at.store(i).value != expected ? 1 : 0;
    }
    return options;
  }());
  if (wanted == 0 && at.store(newest).value == expected) {
    read(at, newest, success);
    update_end(object, size, desired, success);
    return true;
  }
  std::uint32_t index = newest;
  while (wanted > 0) {
    wanted -= at.store(--index).value != expected ? 1 : 0;
  }
  expected = read(at, index, failure);
  if (tracing_) {
    trace(in_words("compare-exchange failed", object, expected));
  }
  return false;
}

}  // namespace strata::check
