// libstrata-record.so: preloaded, it writes what the process asks of malloc as a trace (see
// props/support/FORMAT.md) to $STRATA_RECORD.PROGRAM.PID. Sizes, order, threads and the distance
// between objects; never an address, never contents. It stops after $STRATA_RECORD_BYTES bytes.
//
// The requests go to glibc's own malloc by its second names, so nothing needs to be looked up
// before the first of them. A free is written before the real call and an allocation after it: in
// between the address may serve another thread. A resize takes the old address out before and is
// written after.
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>

#include "bench/record/objects.hpp"
#include "props/support/trace.hpp"

// NOLINTBEGIN(bugprone-reserved-identifier): glibc's names
extern "C" {
void* __libc_malloc(std::size_t size_bytes);
void __libc_free(void* pointer);
void* __libc_calloc(std::size_t count, std::size_t size_bytes);
void* __libc_realloc(void* pointer, std::size_t size_bytes);
void* __libc_memalign(std::size_t align_bytes, std::size_t size_bytes);
}
// NOLINTEND(bugprone-reserved-identifier)

namespace {

using namespace strata::check;
using strata::bench::LiveObjects;

// A shared mapping of the file: what is written is there however the process ends. The zeros after
// it read as the end of the trace.
class Output {
 public:
  bool open() {
    const char* const prefix = std::getenv("STRATA_RECORD");
    if (prefix == nullptr) {
      return false;
    }
    if (const char* const limit = std::getenv("STRATA_RECORD_BYTES")) {
      bytes_max_ = std::clamp<std::size_t>(std::strtoull(limit, nullptr, 10), 64, bytes_most);
    }
    char path[PATH_MAX] = {};
    std::snprintf(path, sizeof path, "%s.%s.%d", prefix, program_invocation_short_name, getpid());
    const int file = ::open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || ftruncate(file, static_cast<off_t>(bytes_max_)) != 0) {
      return false;
    }
    void* const mapped = mmap(nullptr, bytes_max_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    bytes_ = mapped == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(mapped);
    return bytes_ != nullptr;
  }
  void byte(std::uint8_t value) { bytes_[count_++] = value; }
  // One operation takes at most 3 + 2 * 10 + 2 bytes.
  bool is_full() const { return count_ + 32 > bytes_max_; }

 private:
  static constexpr std::size_t bytes_most = 64 << 20;
  std::size_t bytes_max_ = bytes_most;
  std::uint8_t* bytes_ = nullptr;
  std::size_t count_ = 0;
};

class Recorder {
 public:
  // Called with the object's address after it was made.
  void made(Kind kind, void* pointer, std::size_t size_bytes, std::uint8_t align_shift = 0) {
    const std::lock_guard lock(mutex_);
    if (pointer != nullptr && is_recording()) {
      write({.kind = kind,
             .align_shift = align_shift,
             .object = writer().objects(),
             .size = size_bytes});
      objects_.add(pointer, writer().objects() - 1);
    }
  }

  void ends(void* pointer) {
    const std::lock_guard lock(mutex_);
    if (const auto object = forget(pointer); object != LiveObjects::none) {
      write({.kind = Kind::deallocate, .old = object});
    }
  }

  // Of an object of before the recording: LiveObjects::none.
  std::uint64_t begin_resize(void* pointer) {
    const std::lock_guard lock(mutex_);
    return forget(pointer);
  }
  void end_resize(std::uint64_t old, void* pointer, void* moved, std::size_t size_bytes) {
    const std::lock_guard lock(mutex_);
    if (!is_recording()) {
      return;
    }
    if (moved == nullptr) {  // refused
      if (old != LiveObjects::none) {
        objects_.add(pointer, old);
      }
      return;
    }
    write({.kind = old == LiveObjects::none ? Kind::allocate : Kind::resize,
           .object = writer().objects(),
           .old = old == LiveObjects::none ? 0 : old,
           .size = size_bytes});
    objects_.add(moved, writer().objects() - 1);
  }

  void stop() { state_ = State::off; }

 private:
  enum class State : std::uint8_t { unborn, on, off };
  struct Append {
    Output* output;
    void operator()(std::uint8_t value) const { output->byte(value); }
  };

  bool is_recording() {
    if (state_ == State::unborn) {
      state_ = State::off;  // what the start itself asks for is not the program's
      if (output_.open() && objects_.open()) {
        new (&writer_storage_) TraceWriter<Append>({&output_});
        pthread_atfork(nullptr, nullptr, stop_in_child);
        state_ = State::on;
      }
    }
    if (state_ == State::on && (output_.is_full() || objects_.is_full())) {
      state_ = State::off;  // what is there is a prefix
    }
    return state_ == State::on;
  }
  std::uint64_t forget(void* pointer) {
    return is_recording() ? objects_.remove(pointer) : LiveObjects::none;
  }
  void write(TraceOperation op) {
    thread_local std::uint16_t thread [[gnu::tls_model("initial-exec")]]
    = 0;
    if (thread == 0) {
      thread = ++threads_;
    }
    op.thread = static_cast<std::uint16_t>(thread - 1);
    writer().write(op);
  }
  TraceWriter<Append>& writer() {
    return *std::launder(reinterpret_cast<TraceWriter<Append>*>(&writer_storage_));
  }
  static void stop_in_child();  // the file is the parent's

  std::mutex mutex_;
  State state_ = State::unborn;
  std::uint16_t threads_ = 0;
  Output output_;
  LiveObjects objects_;
  alignas(TraceWriter<Append>) std::byte writer_storage_[sizeof(TraceWriter<Append>)] = {};
};

constinit Recorder recorder;

void Recorder::stop_in_child() { recorder.stop(); }

void* allocate_aligned(std::size_t align_bytes, std::size_t size_bytes) {
  void* const pointer = __libc_memalign(align_bytes, size_bytes);
  recorder.made(Kind::allocate_aligned, pointer, size_bytes,
                static_cast<std::uint8_t>(std::bit_width(std::bit_ceil(align_bytes)) - 1));
  return pointer;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size_bytes) {
  void* const pointer = __libc_malloc(size_bytes);
  recorder.made(Kind::allocate, pointer, size_bytes);
  return pointer;
}

void free(void* pointer) {
  if (pointer != nullptr) {
    recorder.ends(pointer);
    __libc_free(pointer);
  }
}

void* calloc(std::size_t count, std::size_t size_bytes) {
  void* const pointer = __libc_calloc(count, size_bytes);
  recorder.made(Kind::allocate_known, pointer, count * size_bytes);
  return pointer;
}

void* realloc(void* pointer, std::size_t size_bytes) {
  if (pointer == nullptr) {
    return malloc(size_bytes);
  }
  if (size_bytes == 0) {
    free(pointer);
    return nullptr;
  }
  const std::uint64_t old = recorder.begin_resize(pointer);
  void* const moved = __libc_realloc(pointer, size_bytes);
  recorder.end_resize(old, pointer, moved, size_bytes);
  return moved;
}

void* reallocarray(void* pointer, std::size_t count, std::size_t size_bytes) {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size_bytes, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return realloc(pointer, bytes);
}

void* memalign(std::size_t align_bytes, std::size_t size_bytes) {
  return allocate_aligned(align_bytes, size_bytes);
}

void* aligned_alloc(std::size_t align_bytes, std::size_t size_bytes) {
  return allocate_aligned(align_bytes, size_bytes);
}

int posix_memalign(void** result, std::size_t align_bytes, std::size_t size_bytes) {
  if (!std::has_single_bit(align_bytes) || align_bytes % sizeof(void*) != 0) {
    return EINVAL;
  }
  void* const pointer = allocate_aligned(align_bytes, size_bytes);
  if (pointer == nullptr) {
    return ENOMEM;
  }
  *result = pointer;
  return 0;
}

void* valloc(std::size_t size_bytes) { return allocate_aligned(4096, size_bytes); }

// A program that brings an allocator along (redis, jemalloc) must not ask that one about glibc's
// blocks. In glibc the word before a block holds its size and three flags; a mapped block (flag 2)
// has a header of two words, any other of one.
std::size_t malloc_usable_size(void* pointer) {
  if (pointer == nullptr) {
    return 0;
  }
  std::size_t word = 0;
  std::memcpy(&word, static_cast<char*>(pointer) - sizeof word, sizeof word);
  return (word & ~std::size_t{7}) - ((word & 2) != 0 ? 2 : 1) * sizeof word;
}

}  // extern "C"
#pragma GCC visibility pop
