// The run-time part of -fsanitize=thread, as far as plain memory accesses go: the compiler calls
// these for each load and store, and the scheduler's race check hears of those to watched memory.
// So the allocator's own records are checked for happens-before, though none of its source says so.
// (The flag is given to the compiler only; nothing of ThreadSanitizer itself is linked.)
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "props/support/scheduler_plain.hpp"

namespace {

void read(const void* address, std::size_t size) {
  strata::check::plain_memory().access(address, size, false);
}
void write(const void* address, std::size_t size) {
  strata::check::plain_memory().access(address, size, true);
}

}  // namespace

// NOLINTBEGIN: the names are the compiler's.
extern "C" {
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
// Between a thread and its own signal handlers, of which there are none here.
void __tsan_atomic_signal_fence(int) {}

void __tsan_read1(void* a) { read(a, 1); }
void __tsan_read2(void* a) { read(a, 2); }
void __tsan_read4(void* a) { read(a, 4); }
void __tsan_read8(void* a) { read(a, 8); }
void __tsan_read16(void* a) { read(a, 16); }
void __tsan_write1(void* a) { write(a, 1); }
void __tsan_write2(void* a) { write(a, 2); }
void __tsan_write4(void* a) { write(a, 4); }
void __tsan_write8(void* a) { write(a, 8); }
void __tsan_write16(void* a) { write(a, 16); }
void __tsan_unaligned_read2(void* a) { read(a, 2); }
void __tsan_unaligned_read4(void* a) { read(a, 4); }
void __tsan_unaligned_read8(void* a) { read(a, 8); }
void __tsan_unaligned_read16(void* a) { read(a, 16); }
void __tsan_unaligned_write2(void* a) { write(a, 2); }
void __tsan_unaligned_write4(void* a) { write(a, 4); }
void __tsan_unaligned_write8(void* a) { write(a, 8); }
void __tsan_unaligned_write16(void* a) { write(a, 16); }
void __tsan_vptr_read(void** a) { read(a, sizeof *a); }
void __tsan_vptr_update(void** a, void*) { write(a, sizeof *a); }

void* __tsan_memcpy(void* to, const void* from, std::size_t size) {
  read(from, size);
  write(to, size);
  return std::memcpy(to, from, size);
}
void* __tsan_memmove(void* to, const void* from, std::size_t size) {
  read(from, size);
  write(to, size);
  return std::memmove(to, from, size);
}
void* __tsan_memset(void* to, int value, std::size_t size) {
  write(to, size);
  return std::memset(to, value, size);
}

// Guards of function-local statics; the allocator's own atomics come through the Sync seam.
std::uint8_t __tsan_atomic8_load(const volatile std::uint8_t* a, int) {
  return __atomic_load_n(a, __ATOMIC_ACQUIRE);
}
}
// NOLINTEND
