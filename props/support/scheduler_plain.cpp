#include "props/support/scheduler_plain.hpp"

#include <algorithm>
#include <cstdio>

namespace strata::check {

PlainMemory& plain_memory() {
  static PlainMemory memory;
  return memory;
}

void PlainMemory::watch(const char* name, const std::byte* begin, std::uint64_t size) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  Range* range = range_of(address);
  if (range == nullptr || range->begin != address || range->size != size) {
    unwatch(begin);
    range = &ranges_.emplace_back(Range{.name = name, .begin = address, .size = size});
    // Zeroed and untouched: only what is used of a large range costs memory.
    range->rounds.reset(static_cast<std::uint32_t*>(std::calloc(size, sizeof(std::uint32_t))));
    range->histories.reset(static_cast<AccessHistory*>(std::calloc(size, sizeof(AccessHistory))));
    if (range->rounds == nullptr || range->histories == nullptr) {
      std::perror("histories of plain memory");
      std::abort();
    }
    const std::uintptr_t end = std::max(low_ + span_, address + size);
    low_ = span_ == 0 ? address : std::min(low_, address);
    span_ = end - low_;
  }
  ++range->round;
  range->usable.clear();
  busy_ = false;  // a failure may have left it so
}

void PlainMemory::unwatch(const std::byte* begin) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  std::erase_if(ranges_, [address](const Range& r) { return r.begin == address; });
}

PlainMemory::Range* PlainMemory::range_of(std::uintptr_t address) {
  for (Range& range : ranges_) {
    if (address - range.begin < range.size) {
      return &range;
    }
  }
  return nullptr;
}

void PlainMemory::set_usable(const std::byte* begin, std::uint64_t size) {
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  range_of(address)->usable.push_back({address, address + size});
}

void PlainMemory::check_access(std::uintptr_t address, std::uint64_t size, bool write) {
  if (busy_ || scheduler().alone()) {
    return;
  }
  busy_ = true;
  if (Range* const range = range_of(address)) {
    for (std::uintptr_t a = address; a < address + size; ++a) {
      touch(*range, a);
      check_order(*range, a, write);
    }
  }
  busy_ = false;
}

void PlainMemory::drop(const std::byte* begin, std::uint64_t size) {
  if (scheduler().alone()) {
    return;
  }
  const auto address = reinterpret_cast<std::uintptr_t>(begin);
  Range& range = *range_of(address);
  for (std::uintptr_t a = address; a < address + size; ++a) {
    if (range.rounds[a - range.begin] == range.round) {
      check_order(range, a, true);
    }
  }
}

// A byte's first access in this execution.
void PlainMemory::touch(Range& range, std::uintptr_t address) {
  std::uint32_t& round = range.rounds[address - range.begin];
  if (round == range.round) {
    return;
  }
  const auto holds = [address](const Interval& i) { return i.begin <= address && address < i.end; };
  if (std::none_of(range.usable.begin(), range.usable.end(), holds)) {
    scheduler().fail(name(reinterpret_cast<void*>(address)) +
                     " is touched before it was committed");
  }
  round = range.round;
  range.histories[address - range.begin] = AccessHistory{};
}

void PlainMemory::check_order(Range& range, std::uintptr_t address, bool write) {
  AccessHistory& history = range.histories[address - range.begin];
  const ThreadId thread = scheduler().thread();
  const Clock& now = scheduler().clock();
  if (!(write ? history.may_write(now) : history.may_read(now))) {
    scheduler().fail("data race: thread " + std::to_string(thread) +
                     (write ? " writes " : " reads ") + name(reinterpret_cast<void*>(address)) +
                     ", and nothing orders that after an access by thread " +
                     std::to_string(history.culprit(now)));
  }
  write ? history.note_write(thread, now) : history.note_read(thread, now);
}

std::string PlainMemory::name(const void* address) {
  const auto number = reinterpret_cast<std::uintptr_t>(address);
  const Range* range = range_of(number);
  char text[80];
  std::snprintf(text, sizeof text, "%s+0x%llx", range == nullptr ? "" : range->name,
                static_cast<unsigned long long>(number - (range == nullptr ? 0 : range->begin)));
  return text;
}

}  // namespace strata::check
