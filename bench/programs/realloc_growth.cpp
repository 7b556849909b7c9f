// Buffers that grow by realloc as readers and writers grow them: by a constant, and by half;
// several at once, so that they are in each other's way.
#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

struct Buffer {
  char* bytes = nullptr;
  std::size_t size_bytes = 0;
};

void grow(Buffer& buffer, std::size_t size_bytes) {
  auto* const grown = static_cast<char*>(std::realloc(buffer.bytes, size_bytes));
  if (grown == nullptr) {
    std::fprintf(stderr, "realloc to %zu failed\n", size_bytes);
    std::exit(1);
  }
  buffer.bytes = grown;
  for (std::size_t at = buffer.size_bytes; at < size_bytes; at += 64) {
    buffer.bytes[at] = 1;
  }
  buffer.size_bytes = size_bytes;
}

// Up to `last_bytes`, `together` buffers in turn, then all freed.
template <class Next>
void grow_all(std::size_t together, std::size_t last_bytes, Next next) {
  std::vector<Buffer> buffers(together);
  while (buffers.back().size_bytes < last_bytes) {
    for (Buffer& buffer : buffers) {
      grow(buffer, next(buffer.size_bytes));
    }
  }
  for (const Buffer& buffer : buffers) {
    std::free(buffer.bytes);
  }
}

}  // namespace

int main() {
  constexpr std::size_t mib = 1 << 20;
  for (unsigned i = 0; i < 120; ++i) {
    grow_all(4, mib, [](std::size_t size_bytes) { return size_bytes + 4096; });
  }
  for (unsigned i = 0; i < 2; ++i) {
    grow_all(2, 64 * mib, [](std::size_t size_bytes) { return size_bytes * 3 / 2 + 64; });
  }
  for (unsigned i = 0; i < 20'000; ++i) {
    grow_all(8, 2048, [](std::size_t size_bytes) { return size_bytes + 48; });
  }
}
