// The hit paths of malloc and free over any allocator, as inline code for the entry points.
#pragma once

#include <cstddef>

#include "abi/process.hpp"

namespace strata {

// Slow paths, out of line; they may make the thread's cache. Null, with errno ENOMEM, on failure.
void* malloc_miss(std::size_t size_bytes) noexcept;
void free_miss(void* pointer) noexcept;

[[gnu::always_inline]] inline void* malloc_inline(std::size_t size_bytes) {
  using Plan = ProcessAllocator::Plan;
  const Address address =
      current_cache()->pop(Plan::Items::class_of_size<std::uint64_t>(size_bytes));
  if (address == 0) [[unlikely]] {
    return malloc_miss(size_bytes);
  }
  auto& heap = process_allocator().heap();
  heap.hooks.allocated(heap, address, size_bytes);
  return reinterpret_cast<void*>(address);
}

[[gnu::always_inline]] inline void free_inline(void* pointer) {
  auto& heap = process_allocator().heap();
  const Address address = reinterpret_cast<Address>(pointer);
  const std::uint64_t offset = address - heap.base;
  if (!heap.contains(offset)) [[unlikely]] {
    return free_miss(pointer);
  }
  heap.hooks.deallocating(heap, address);
  const std::uint64_t cls = heap.class_at(offset);
  if (!current_cache()->push(cls, address)) [[unlikely]] {
    return free_miss(pointer);
  }
}

// The family behind malloc.cpp and operators.cpp. `align_bytes` is a power of two.
void* allocate_aligned(std::size_t size_bytes, std::size_t align_bytes) noexcept;

}  // namespace strata
