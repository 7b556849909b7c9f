// The hit paths outside malloc's own library, for ci/disassembly: of both plans, and of one with a
// hook planted, which must break the limits, or the check could not see a hook.
#include "abi/hit_path.hpp"

#include "cache/allocator.hpp"
#include "memory/linux.hpp"
#include "sync/native.hpp"

// Not in an unnamed namespace: there the compiler would see that nothing writes `distance`, and
// fold the thread's own slot away.
namespace strata::hit_path {

namespace {
volatile Address last_seen;
}

struct PlantedHooks : strata::NoHooks {
  template <class Heap>
  void allocated(Heap&, Address address, std::uint64_t) {
    last_seen = address;
  }
  template <class Heap>
  bool deallocating(Heap&, Address address) {
    last_seen = address;
    return true;
  }
};

template <class Plan, class Hooks>
struct Probe {
  using Allocator =
      strata::Allocator<strata::Heap<Plan, strata::Linux, strata::NativeSync<true>, Hooks>>;

  static inline constinit strata::Storage<Allocator> storage{};
  static inline constinit thread_local std::ptrdiff_t distance = 0;

  static Allocator& allocator() { return storage.allocator; }
  static typename Allocator::Cache* cache() { return storage.cache_at(distance); }
  [[gnu::noinline]]
  static void* malloc_miss(std::size_t size_bytes) noexcept {
    return reinterpret_cast<void*>(allocator().allocate_miss(cache(), size_bytes).address);
  }
  [[gnu::noinline]]
  static void free_miss(void* pointer) noexcept {
    allocator().deallocate_miss(cache(), reinterpret_cast<Address>(pointer));
  }
};

using Pow2 = Probe<strata::plan::Pow2, strata::NoHooks>;
using Quarter = Probe<strata::plan::Quarter, strata::NoHooks>;
using Hooked = Probe<strata::plan::Pow2, PlantedHooks>;

}  // namespace strata::hit_path

#pragma GCC visibility push(default)
extern "C" {

void* strata_pow2_malloc(std::size_t size) {
  return strata::malloc_inline<strata::hit_path::Pow2>(size);
}
void strata_pow2_free(void* pointer) { strata::free_inline<strata::hit_path::Pow2>(pointer); }
void* strata_quarter_malloc(std::size_t size) {
  return strata::malloc_inline<strata::hit_path::Quarter>(size);
}
void strata_quarter_free(void* pointer) { strata::free_inline<strata::hit_path::Quarter>(pointer); }
void* strata_hooked_malloc(std::size_t size) {
  return strata::malloc_inline<strata::hit_path::Hooked>(size);
}
void strata_hooked_free(void* pointer) { strata::free_inline<strata::hit_path::Hooked>(pointer); }

}  // extern "C"
#pragma GCC visibility pop
