#include "bench/replay/script.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace strata::bench {

namespace {

using check::TraceOperation;
using check::TraceReader;

// A file's bytes, mapped.
class File {
 public:
  explicit File(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    if (file < 0 || fstat(file, &status) != 0) {
      throw std::runtime_error(fmt::format("{}: cannot be read", path));
    }
    count_ = static_cast<std::size_t>(status.st_size);
    void* const mapped =
        mmap(nullptr, std::max<std::size_t>(count_, 1), PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (mapped == MAP_FAILED) {
      throw std::runtime_error(fmt::format("{}: cannot be mapped", path));
    }
    bytes_ = static_cast<const std::uint8_t*>(mapped);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { munmap(const_cast<std::uint8_t*>(bytes_), std::max<std::size_t>(count_, 1)); }

  std::span<const std::uint8_t> bytes() const { return {bytes_, count_}; }

 private:
  const std::uint8_t* bytes_ = nullptr;
  std::size_t count_ = 0;
};

struct Totals {
  std::uint64_t steps = 0;
  std::uint64_t objects = 0;
  std::vector<std::uint64_t> of_thread;
};

Totals count(std::span<const std::uint8_t> bytes, bool is_alone) {
  Totals totals;
  TraceReader reader(bytes);
  for (TraceOperation op; reader.next(op); ++totals.steps) {
    const std::size_t thread = is_alone ? 0 : op.thread;
    totals.of_thread.resize(std::max(totals.of_thread.size(), thread + 1));
    ++totals.of_thread[thread];
  }
  totals.objects = reader.objects();
  return totals;
}

// Fills a script whose arrays have the right lengths.
class Loader {
 public:
  Loader(Script& script, const Totals& totals) : script_(script), is_live_(totals.objects) {
    script.first.assign(1, 0);
    for (const std::uint64_t steps : totals.of_thread) {
      next_.push_back(script.first.back());
      script.first.push_back(script.first.back() + steps);
    }
  }

  void add(const TraceOperation& op, unsigned thread) {
    if (op.ends()) {
      if (!is_live_[op.old]) {
        throw std::runtime_error(
            fmt::format("step {} ends object {}, which is not live", index_, op.old));
      }
      is_live_[op.old] = false;
      live_ -= script_.sizes[op.old];
    }
    if (op.makes()) {
      is_live_[op.object] = true;
      script_.sizes[op.object] = op.size;
      live_ += op.size;
    }
    script_.live_bytes[index_] = live_;
    script_.peak_live_bytes = std::max(script_.peak_live_bytes, live_);
    place(op, thread);
  }

 private:
  void place(const TraceOperation& op, unsigned thread) {
    script_.steps[next_[thread]++] = {.kind = op.kind,
                                      .align_shift = op.align_shift,
                                      .object = static_cast<std::uint32_t>(op.object),
                                      .old = static_cast<std::uint32_t>(op.old),
                                      .index = index_++,
                                      .size = op.size};
  }

  Script& script_;
  Mapped<bool> is_live_;
  std::vector<std::uint64_t> next_;  // place of each thread's next step
  std::uint64_t live_ = 0;
  std::uint32_t index_ = 0;
};

}  // namespace

std::unique_ptr<Script> load_script(const std::string& path, bool is_alone) {
  const File file(path);
  if (!TraceReader::is_trace(file.bytes())) {
    throw std::runtime_error(fmt::format("{}: not a trace (is it still compressed? xz -d)", path));
  }
  const Totals totals = count(file.bytes(), is_alone);
  if (totals.steps == 0 || totals.steps > UINT32_MAX) {
    throw std::runtime_error(fmt::format("{}: {} operations", path, totals.steps));
  }
  auto script = std::make_unique<Script>(totals.steps, totals.objects);
  Loader loader(*script, totals);
  TraceReader reader(file.bytes());
  try {
    for (TraceOperation op; reader.next(op);) {
      loader.add(op, is_alone ? 0 : op.thread);
    }
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("{}: {}", path, error.what()));
  }
  return script;
}

}  // namespace strata::bench
