// libstrata-replay-broken.so: a malloc that is wrong in the way that STRATA_BROKEN says. A checked
// replay on it must fail; else the check sees nothing.
//
//   overlaps    each 1000th object's first bytes are its neighbour's last ones
//   small       each 1000th has a byte too few
//   refused     each 1000th is null
//   shifted     each 1000th lies half an alignment further on than it has to
//   misaligned  so does whatever memalign gives
//   dirty       calloc leaves the last byte as it was
//   forgotten   realloc does not copy the last byte
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t arena_bytes = std::size_t{1} << 34;
constexpr std::size_t overlap_bytes = 16;
std::atomic<std::uintptr_t> next{0};
std::atomic<unsigned> calls{0};

bool is_broken(const char* how) {
  const char* const chosen = std::getenv("STRATA_BROKEN");
  return chosen != nullptr && std::strcmp(chosen, how) == 0;
}

// Never freed. The size stands in the word before an object.
void* take(std::size_t align_bytes, std::size_t size_bytes) {
  const bool is_chosen = ++calls % 1000 == 0;
  if (is_chosen && is_broken("refused")) {
    return nullptr;
  }
  if (next.load() == 0) {  // before there are threads
    next =
        reinterpret_cast<std::uintptr_t>(mmap(nullptr, arena_bytes, PROT_READ | PROT_WRITE,
                                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  }
  const std::size_t align = std::max<std::size_t>(std::bit_ceil(align_bytes), 16);
  const std::uintptr_t begin = next.fetch_add(size_bytes + 2 * align);
  std::uintptr_t address = (begin + 16 + align - 1) & ~(align - 1);
  if (is_chosen && size_bytes >= overlap_bytes) {
    address -= is_broken("overlaps") ? 2 * overlap_bytes : 0;
    address += is_broken("shifted") ? align / 2 : 0;
    size_bytes -= is_broken("small") ? 1 : 0;
  }
  address += align > 16 && is_broken("misaligned") ? align / 2 : 0;
  auto* const pointer = reinterpret_cast<char*>(address);
  std::memcpy(pointer - sizeof size_bytes, &size_bytes, sizeof size_bytes);
  return pointer;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

void* malloc(std::size_t size_bytes) { return take(16, size_bytes); }
void free(void*) {}
void* calloc(std::size_t count, std::size_t size_bytes) {
  auto* const bytes = static_cast<char*>(take(16, count * size_bytes));
  if (is_broken("dirty") && count * size_bytes > 0) {
    bytes[count * size_bytes - 1] = 1;
  }
  return bytes;
}
void* memalign(std::size_t align_bytes, std::size_t size_bytes) {
  return take(align_bytes, size_bytes);
}
std::size_t malloc_usable_size(void* pointer) {
  std::size_t size_bytes = 0;
  std::memcpy(&size_bytes, static_cast<char*>(pointer) - sizeof size_bytes, sizeof size_bytes);
  return size_bytes;
}
void* realloc(void* pointer, std::size_t size_bytes) {
  void* const moved = take(16, size_bytes);
  if (pointer != nullptr && moved != nullptr) {
    const std::size_t kept = std::min(malloc_usable_size(pointer), size_bytes);
    std::memcpy(moved, pointer, is_broken("forgotten") && kept > 0 ? kept - 1 : kept);
  }
  return moved;
}

}  // extern "C"
#pragma GCC visibility pop
