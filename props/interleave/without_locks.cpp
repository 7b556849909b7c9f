// What must not compile: each line is clang's -Wthread-safety on a lock that is missing, or held
// too long. The compiler itself compares (-verify): a warning that no longer comes fails the test,
// as does one that nobody expects.
#include "heap/heap.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

namespace strata {

struct Silent : NoHooks {};
using SomeHeap = Heap<plan::Pow2, Linux, NativeSync<false>, Silent>;
using SomeState = SomeHeap::State;

void records_of_a_bin(SomeHeap& heap) {
  heap.books.of_bins().bin(1).head = 0;  // expected-warning {{'of_bins' requires holding bin lock}}
  const auto lock = heap.lock_bin(1);
  heap.books.of_bins().bin(1).head = 0;
}

void records_of_unused_slots(SomeHeap& heap) {
  const auto lock = heap.lock_bin(1);
  // expected-warning@+1 {{'of_segments' requires holding segments lock}}
  heap.books.of_segments().region(0).dirty = 0;
}

void slots_that_were_taken(SomeHeap& heap) {
  heap.books.of_growth();  // expected-warning {{'of_growth' requires holding commit lock}}
  heap.books.of_purge();   // expected-warning {{'of_purge' requires holding purge lock}}
}

void sequential_code(SomeHeap& heap, SomeState& state) {
  Address taken = 0;
  Items<SomeState> items(state, 1);  // expected-warning {{requires holding bin lock}}
  items.take(&taken + 1, 1);         // expected-warning {{'take' requires holding bin lock}}
  // expected-warning@+1 {{requires holding segments lock}}
  Segments<SomeState> segments(state);
  segments.put_slots(0, 1);  // expected-warning {{'put_slots' requires holding segments lock}}
  Purge<SomeState>(state).everything();  // expected-warning {{requires holding purge lock}}
  // expected-warning@+1 {{'grow' requires holding commit lock}}
  Growth<SomeState>(state).grow({}, &taken + 1, 1);
  const auto lock = heap.lock_segments();
  segments.put_slots(0, 1);
}

void after_the_lock_was_released(SomeHeap& heap, SomeState& state) {
  auto lock = heap.lock_bin(1);
  Items<SomeState> items(state, 1);
  lock.release();
  items.hold_chunk(0, 0);  // expected-warning {{'hold_chunk' requires holding bin lock}}
  lock.retake();
  items.hold_chunk(0, 0);
}

void a_system_call_under_a_bins_lock(SomeHeap& heap) {
  auto lock = heap.lock_bin(1);
  heap.commit(Space::heap, 0, 1);  // expected-warning {{cannot call function 'commit' while}}
  lock.release();
  heap.commit(Space::heap, 0, 1);
}

void two_bins_at_once(SomeHeap& heap) {
  const auto one = heap.lock_bin(1);    // expected-note {{acquired here}}
  const auto other = heap.lock_bin(2);  // expected-warning {{acquiring bin lock 'held' that is}}
}

void everything_under_every_lock(SomeHeap& heap) {
  const SomeHeap::AllLocks all(heap);
  heap.books.of_bins();
  heap.books.of_segments();
  heap.books.of_growth();
  heap.books.of_purge();
}

}  // namespace strata
