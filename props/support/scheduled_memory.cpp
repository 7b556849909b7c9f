#include "props/support/scheduled_memory.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <string>

#include "props/support/scheduler.hpp"
#include "props/support/scheduler_plain.hpp"
#include "props/support/violation.hpp"

namespace strata::check {

namespace {

constexpr std::uint64_t page_align = 4096;
constexpr std::array<const char*, space_count> names = {"control", "heap", "books", "item_map",
                                                        "caches"};

}  // namespace

ScheduledMemory::~ScheduledMemory() {
  for (const Array& array : arrays_) {
    plain_memory().unwatch(array.begin);
  }
}

bool ScheduledMemory::reserve(const SpaceSizes& sizes, std::uint64_t heap_align) {
  for (std::size_t i = 0; i < space_count; ++i) {
    arrays_[i].prepare(sizes[i], i == index(Space::heap) ? heap_align : page_align);
    plain_memory().watch(names[i], arrays_[i].begin, sizes[i]);
  }
  commits = decommits = refusals = 0;
  return true;
}

void ScheduledMemory::release() {
  for (Array& array : arrays_) {
    array.clear();
  }
}

bool ScheduledMemory::commit(Space space, std::uint64_t offset, std::uint64_t size) {
  check_call("commit", space, offset, size);
  ++commits;
  if (refused(commit_failures)) {
    return false;
  }
  Array& array = arrays_[index(space)];
  array.used = std::max(array.used, offset + size);
  plain_memory().set_usable(array.begin + offset, size);
  return true;
}

bool ScheduledMemory::decommit(Space space, std::uint64_t offset, std::uint64_t size) {
  check_call("decommit", space, offset, size);
  ++decommits;
  if (refused(decommit_failures)) {
    return false;
  }
  std::byte* const begin = base(space) + offset;
  plain_memory().drop(begin, size);
  std::memset(begin, 0, size);
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  scheduler().forget_atomics(address, address + size);
  return true;
}

void ScheduledMemory::check_call(const char* call, Space space, std::uint64_t offset,
                                 std::uint64_t size) {
  scheduler().point();
  if (scheduler().tracing()) {
    scheduler().trace(std::string(call) + " " + std::to_string(size) + " bytes at " +
                      plain_memory().name(base(space) + offset));
  }
  const std::uint64_t end = arrays_[index(space)].size;
  require(size > 0 && offset <= end && size <= end - offset,
          "a system call leaves the reserved space");
}

bool ScheduledMemory::refused(std::uint32_t& failures) {
  if (failures == 0 || scheduler().choose(2) == 0) {
    return false;
  }
  --failures;
  ++refusals;
  scheduler().trace("  refused");
  return true;
}

void ScheduledMemory::Array::prepare(std::uint64_t bytes, std::uint64_t align) {
  clear();
  if (bytes > capacity) {
    plain_memory().unwatch(begin);
    // Zeroed, and untouched until it is used.
    memory.reset(static_cast<std::byte*>(std::calloc(bytes + align, 1)));
    if (memory == nullptr) {
      std::perror("the scheduler's memory");
      std::abort();
    }
    const auto address = reinterpret_cast<std::uintptr_t>(memory.get());
    begin = memory.get() + ((align - address % align) % align);
    capacity = bytes;
  }
  size = bytes;
}

void ScheduledMemory::Array::clear() {
  if (used > 0) {
    std::memset(begin, 0, used);
  }
  used = 0;
}

}  // namespace strata::check
