// The malloc family as it ships: the objects of core/abi with their symbols renamed, so that ASan
// keeps malloc for itself. Any calls with any sizes, counts and alignments; what they promise.

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "abi/process.hpp"
#include "include/strata/strata.h"
#include "props/support/byte_reader.hpp"
#include "props/support/violation.hpp"

extern "C" {
void* shipped_malloc(std::size_t);
void* shipped_calloc(std::size_t, std::size_t);
void* shipped_realloc(void*, std::size_t);
void* shipped_reallocarray(void*, std::size_t, std::size_t);
void* shipped_memalign(std::size_t, std::size_t);
void* shipped_aligned_alloc(std::size_t, std::size_t);
int shipped_posix_memalign(void**, std::size_t, std::size_t);
void* shipped_valloc(std::size_t);
void* shipped_pvalloc(std::size_t);
std::size_t shipped_malloc_usable_size(void*);
void shipped_free(void*);
void shipped_cfree(void*);
void shipped_free_sized(void*, std::size_t);
void shipped_free_aligned_sized(void*, std::size_t, std::size_t);
void* shipped_new(std::size_t, const std::nothrow_t&) noexcept
    __asm__("shipped__ZnwmRKSt9nothrow_t");
void* shipped_aligned_new(std::size_t, std::align_val_t, const std::nothrow_t&) noexcept
    __asm__("shipped__ZnwmSt11align_val_tRKSt9nothrow_t");
void shipped_sized_delete(void*, std::size_t) noexcept __asm__("shipped__ZdlPvm");
}

namespace {

using namespace strata;
using namespace strata::check;

constexpr std::uint64_t heap_bytes = std::uint64_t{4} << 30;

// A fresh process, as far as malloc is concerned.
void reset() {
  ProcessAllocator& allocator = process_allocator();
  if (cache_distance != 0) {
    allocator.detach(Process::cache());
    cache_distance = 0;
  }
  allocator.close();
  require(allocator.open(heap_bytes >> 30), "open failed");
}

class Program {
 public:
  explicit Program(ByteReader in) : in_(in) {}

  void run() {
    while (!in_.at_end()) {
      step(in_.byte());
    }
    while (!live_.empty()) {
      deallocate(0, 0);
    }
    require(strata_validate() == 1, "strata_validate() says no");
  }

 private:
  struct Object {
    std::size_t size;
    std::uint8_t tag;
  };
  using Live = std::vector<std::pair<std::uint8_t*, Object>>;  // by address

  // Small ones, those beside powers of two and beside their negatives, any.
  std::size_t size() {
    const std::uint8_t form = in_.byte();
    switch (form % 4) {
      case 0:
        return in_.byte();
      case 1:
        return in_.number_of(2);
      case 2:
        return (std::size_t{1} << (in_.byte() % 64)) + in_.byte() - 128;
      default:
        return in_.number_of(form / 64 + 3) << (form / 4 % 16);
    }
  }
  // Mostly powers of two.
  std::size_t align() {
    const std::uint8_t form = in_.byte();
    return form < 192 ? std::size_t{1} << (form % 64) : in_.number_of(form % 9);
  }

  void step(std::uint8_t action) {
    const std::size_t bytes = action % 16 < 12 ? size() : 0;
    switch (action % 16) {
      case 0:
      case 1:
        return add(shipped_malloc(bytes), bytes, 16);
      case 2:
        return calloc(bytes);
      case 3:
        return memalign(bytes, align());
      case 4:
        return aligned_alloc(bytes, align());
      case 5:
        return posix_memalign(bytes, align());
      case 6:
        return add(shipped_valloc(bytes), bytes, 4096);
      case 7:
        return pvalloc(bytes);
      case 8:
        return add(shipped_new(bytes, std::nothrow), bytes, 16);
      case 9:
        return new_aligned(bytes, std::size_t{1} << (align() % 64));
      case 10:
        return resize(bytes, 1);
      case 11:
        return resize(bytes, size());
      default:
        return deallocate(action / 16, in_.byte());
    }
  }

  // --- What each call promises -------------------------------------------------------------------
  // A null is ENOMEM, and only what cannot be had is refused.
  void add(void* pointer, std::size_t bytes, std::size_t align_bytes) {
    if (pointer == nullptr) {
      require(errno == ENOMEM, "null for {} bytes at {}, errno {}", bytes, align_bytes, errno);
      require(
          bytes > heap_bytes / 4 || align_bytes > heap_bytes / 4 || live_bytes() > heap_bytes / 8,
          "refused: {} bytes at {}, with most memory free", bytes, align_bytes);
      errno = 0;
      return;
    }
    errno = 0;
    auto* const begin = static_cast<std::uint8_t*>(pointer);
    require(reinterpret_cast<std::uintptr_t>(begin) % align_bytes == 0, "{} bytes not at {}", bytes,
            align_bytes);
    require(bytes <= heap_bytes, "{} bytes of {}", bytes, heap_bytes);
    const std::size_t usable = shipped_malloc_usable_size(begin);
    require(usable >= bytes && usable > 0, "{} usable bytes of {}", usable, bytes);
    const auto after = std::ranges::lower_bound(live_, begin, {}, &Live::value_type::first);
    require(after == live_.end() || begin + usable <= after->first, "overlaps the next object");
    require(
        after == live_.begin() ||
            std::prev(after)->first + shipped_malloc_usable_size(std::prev(after)->first) <= begin,
        "overlaps the object before");
    const Object object = {usable, ++last_tag_};
    live_.emplace(after, begin, object);
    write(begin, object);
  }

  void calloc(std::size_t bytes) {
    const std::size_t count = size();
    void* const pointer = shipped_calloc(count, bytes);
    std::size_t total = 0;
    if (__builtin_mul_overflow(count, bytes, &total)) {
      require(pointer == nullptr && errno == ENOMEM, "calloc({}, {}) overflows", count, bytes);
      errno = 0;
      return;
    }
    if (pointer != nullptr) {
      require(holds(static_cast<std::uint8_t*>(pointer), total, 0), "calloc({}, {}): not zero",
              count, bytes);
    }
    add(pointer, total, 16);
  }
  void memalign(std::size_t bytes, std::size_t align_bytes) {
    void* const pointer = shipped_memalign(align_bytes, bytes);
    require(pointer == nullptr || align_bytes <= MallocPlan::align_max, "memalign({})",
            align_bytes);
    add(pointer, bytes, pointer == nullptr ? align_bytes : std::bit_ceil(align_bytes));
  }
  void aligned_alloc(std::size_t bytes, std::size_t align_bytes) {
    void* const pointer = shipped_aligned_alloc(align_bytes, bytes);
    if (std::has_single_bit(align_bytes)) {
      return add(pointer, bytes, align_bytes);
    }
    require(pointer == nullptr && errno == EINVAL, "aligned_alloc({})", align_bytes);
    errno = 0;
  }
  void posix_memalign(std::size_t bytes, std::size_t align_bytes) {
    int untouched = 0;
    void* pointer = &untouched;
    const int error = shipped_posix_memalign(&pointer, align_bytes, bytes);
    require(errno == 0, "posix_memalign set errno");
    const bool valid = std::has_single_bit(align_bytes) && align_bytes % sizeof(void*) == 0;
    require(valid ? error == 0 || error == ENOMEM : error == EINVAL, "posix_memalign({}): {}",
            align_bytes, error);
    require(error == 0 || pointer == &untouched, "posix_memalign wrote on failure");
    if (error == 0) {
      add(pointer, bytes, align_bytes);
    }
  }
  void pvalloc(std::size_t bytes) {
    void* const pointer = shipped_pvalloc(bytes);
    require(pointer == nullptr || bytes <= heap_bytes, "pvalloc({})", bytes);
    add(pointer, pointer == nullptr ? bytes : (bytes + 4095) / 4096 * 4096, 4096);
  }
  void new_aligned(std::size_t bytes, std::size_t align_bytes) {
    add(shipped_aligned_new(bytes, std::align_val_t{align_bytes}, std::nothrow), bytes,
        align_bytes);
  }

  void resize(std::size_t bytes, std::size_t count) {
    std::size_t total = 0;
    const bool overflows = __builtin_mul_overflow(bytes, count, &total);
    const auto old = nth(in_.byte());
    if (old == live_.end()) {
      return overflows ? void() : add(shipped_reallocarray(nullptr, bytes, count), total, 16);
    }
    std::uint8_t* const begin = old->first;
    const Object object = old->second;
    require(holds(begin, object.size, object.tag), "lost its contents");
    void* const moved =
        count == 1 ? shipped_realloc(begin, bytes) : shipped_reallocarray(begin, bytes, count);
    if (!overflows && total == 0) {
      require(moved == nullptr, "realloc to 0 is free");
      live_.erase(old);
    } else if (moved == nullptr) {
      require(errno == ENOMEM && (overflows || total > object.size), "realloc to {} failed", total);
      require(holds(begin, object.size, object.tag), "a realloc that failed changed the block");
    } else {
      require(!overflows, "reallocarray({}, {}) overflows", bytes, count);
      require(holds(static_cast<std::uint8_t*>(moved), std::min(total, object.size), object.tag),
              "realloc from {} to {} lost contents", object.size, total);
      live_.erase(old);
      add(moved, total, 16);
    }
    errno = 0;
  }

  void deallocate(unsigned how, std::uint8_t k) {
    const auto object = nth(k);
    if (object == live_.end()) {
      return shipped_free(nullptr);
    }
    std::uint8_t* const begin = object->first;
    const std::size_t bytes = object->second.size;
    require(holds(begin, bytes, object->second.tag), "lost its contents");
    live_.erase(object);
    how % 5 == 0   ? shipped_free(begin)
    : how % 5 == 1 ? shipped_cfree(begin)
    : how % 5 == 2 ? shipped_free_sized(begin, bytes)
    : how % 5 == 3 ? shipped_free_aligned_sized(begin, 16, bytes)
                   : shipped_sized_delete(begin, bytes);
    require(errno == 0, "free set errno");
  }

  std::size_t live_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [begin, object] : live_) {
      bytes += object.size;
    }
    return bytes;
  }

  Live::iterator nth(std::uint8_t k) {
    return live_.empty() ? live_.end()
                         : live_.begin() + static_cast<std::ptrdiff_t>(k % live_.size());
  }

  // --- Contents: the first bytes, the last, and some at every power of two -----------------------
  template <class Visit>
  static bool sample(std::uint8_t* begin, std::size_t bytes, Visit visit) {
    constexpr std::size_t whole = 256;
    bool good = true;
    for (std::size_t at = 0; at < std::min(bytes, whole); ++at) {
      good = good && visit(begin[at]);
    }
    for (std::size_t at = whole; at < bytes; at *= 2) {
      good = good && visit(begin[at]);
    }
    return good;
  }
  static void write(std::uint8_t* begin, const Object& object) {
    sample(begin, object.size, [&](std::uint8_t& byte) {
      byte = object.tag;
      return true;
    });
    begin[object.size - 1] = object.tag;
  }
  static bool holds(std::uint8_t* begin, std::size_t bytes, std::uint8_t tag) {
    return sample(begin, bytes, [&](std::uint8_t& byte) { return byte == tag; });
  }

  ByteReader in_;
  Live live_;
  std::uint8_t last_tag_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  set_violation_handler(trap_on_violation);
  reset();
  errno = 0;
  Program(ByteReader({data, size})).run();
  return 0;
}
