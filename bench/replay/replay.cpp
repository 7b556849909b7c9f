// strata-replay: does what a trace says with whichever malloc this process has, and prints as JSON
// what that took.

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "bench/replay/performer.hpp"
#include "bench/replay/script.hpp"
#include "bench/replay/turns.hpp"

namespace strata::bench {

void fail(const Step& step, const char* what) {
  std::fprintf(stderr, "strata-replay: step %u, of %llu bytes, %s\n", step.index,
               static_cast<unsigned long long>(step.size), what);
  std::_Exit(1);
}

namespace {

// With STRATA_STEP_CLOCK in the environment every clock of the process stands still but for a
// microsecond a step, so that what an allocator delays happens at the same step in each run. Not an
// option: the allocator asks for the time before there are options. 0: not asked for yet.
std::int64_t step_clock_ns = 0;
constexpr std::int64_t step_ns = 1000;
constexpr std::int64_t real_clock = -1;

using ClockFunction = int(clockid_t, timespec*);
ClockFunction* libc_clock = nullptr;  // once main() has found it; until then the system call

bool has_step_clock() {
  if (step_clock_ns == 0) {
    step_clock_ns = std::getenv("STRATA_STEP_CLOCK") != nullptr ? step_ns : real_clock;
  }
  return step_clock_ns != real_clock;
}

using Clock = std::chrono::steady_clock;

struct Options {
  std::string path;
  Contents contents = Contents::touched;
  bool is_alone = false;
  std::uint32_t window = 4096;
  std::uint32_t samples = 100;
};

// Resident size at evenly spaced steps of the trace. Whoever does such a step looks.
class Residence {
 public:
  Residence(std::size_t steps, std::uint32_t samples)
      : every_(static_cast<std::uint32_t>(steps / std::max(samples, 1U) + 1)),
        kib_(samples == 0 ? 0 : steps / every_ + 1) {}

  // Once everything of the replay's own is there: what comes on top is the program's.
  void begin() {
    forget_peak();
    at_start_kib_ = now_kib();
  }

  void look(std::uint32_t index) {
    if (kib_.size() > 0 && index % every_ == 0) [[unlikely]] {
      kib_[index / every_] = now_kib();
    }
  }

  // Above what it was at the start.
  std::vector<long> samples() {
    std::vector<long> result;
    for (const long kib : kib_.all()) {
      result.push_back(std::max(0L, kib - at_start_kib_));
    }
    return result;
  }
  std::uint32_t every() const { return every_; }
  long peak_kib() const { return std::max(0L, status_kib("VmHWM:") - at_start_kib_); }

 private:
  // Without allocating.
  static void forget_peak() {
    const int file = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
      [[maybe_unused]]
      const auto written = ::write(file, "5", 1);
      close(file);
    }
  }

  static long status_kib(const char* key) {
    char text[4096] = {};
    const int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    const auto length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    close(file);
    const char* const found = length < 0 ? nullptr : std::strstr(text, key);
    return found == nullptr ? 0 : std::strtol(found + std::strlen(key), nullptr, 10);
  }
  static long now_kib() { return status_kib("VmRSS:"); }

  std::uint32_t every_;
  Mapped<long> kib_;
  long at_start_kib_ = 0;
};

template <Contents contents>
class Replay {
 public:
  Replay(Script& script, Residence& residence, std::uint32_t window)
      : script_(script),
        residence_(residence),
        pointers_(script.sizes.size()),
        turns_(script, window) {}

  void run() {
    if (script_.threads() == 1) {
      perform_alone();
    } else {
      perform_threads();
    }
  }

 private:
  // On the first thread, so that the process stays one of a single thread.
  void perform_alone() {
    const bool is_stepping = has_step_clock();
    Performer<contents> performer(script_, pointers_);
    for (const Step& step : script_.steps_of(0)) {
      performer.perform(step);
      residence_.look(step.index);
      step_clock_ns += is_stepping ? step_ns : 0;
    }
  }

  // Each begins when the others have come to its first step.
  void perform_threads() {
    std::vector<unsigned> order;
    for (unsigned thread = 0; thread < script_.threads(); ++thread) {
      if (!script_.steps_of(thread).empty()) {
        order.push_back(thread);
      }
    }
    std::ranges::sort(order, {}, [&](unsigned thread) { return first_of(thread); });
    std::vector<std::jthread> running;
    for (const unsigned thread : order) {
      while (turns_.limit() < first_of(thread)) {
        std::this_thread::sleep_for(std::chrono::microseconds(20));
      }
      running.emplace_back([this, thread] { perform_thread(thread); });
    }
  }

  void perform_thread(unsigned thread) {
    Performer<contents> performer(script_, pointers_);
    std::uint64_t limit = 0;
    for (const Step& step : script_.steps_of(thread)) {
      turns_.reached(thread, step.index);
      while (step.index > limit) {
        limit = turns_.limit();
        if (step.index > limit) {
          std::this_thread::yield();
        }
      }
      performer.perform(step);
      residence_.look(step.index);
    }
    turns_.finish(thread);
  }

  std::uint32_t first_of(unsigned thread) { return script_.steps_of(thread).front().index; }

  Script& script_;
  Residence& residence_;
  Pointers pointers_;
  Turns turns_;
};

struct Usage {
  Clock::time_point wall = Clock::now();
  double cpu_s = 0;
  long faults = 0;
};

Usage usage_now() {
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return {.cpu_s = seconds(used.ru_utime) + seconds(used.ru_stime),
          .faults = used.ru_minflt + used.ru_majflt};
}

void report(Script& script, Residence& residence, const Usage& begin, const Usage& end) {
  const double wall_s = std::chrono::duration<double>(end.wall - begin.wall).count();
  const auto steps = static_cast<double>(script.steps.size());
  std::vector<std::uint64_t> live_kib;
  for (std::size_t index = 0; index < script.steps.size(); index += residence.every()) {
    live_kib.push_back(script.live_bytes[index] / 1024);
  }
  fmt::print(
      "{{\"operations\": {}, \"threads\": {}, \"wall_s\": {:.6f}, \"cpu_s\": {:.6f}, "
      "\"operations_per_s\": {:.0f}, \"faults\": {}, \"peak_live_kib\": {}, "
      "\"peak_resident_kib\": {}, \"live_kib\": [{}], \"resident_kib\": [{}]}}\n",
      script.steps.size(), script.threads(), wall_s, end.cpu_s - begin.cpu_s, steps / wall_s,
      end.faults - begin.faults, script.peak_live_bytes / 1024, residence.peak_kib(),
      fmt::join(live_kib, ", "), fmt::join(residence.samples(), ", "));
}

template <Contents contents>
void replay(const Options& options) {
  const auto script = load_script(options.path, options.is_alone);
  Residence residence(script->steps.size(), options.samples);
  Replay<contents> replay(*script, residence, options.window);
  residence.begin();
  const Usage begin = usage_now();
  replay.run();
  const Usage end = usage_now();
  report(*script, residence, begin, end);
}

// strata checks its books; other allocators have nothing to ask.
void validate_if_strata() {
  using Validate = int();
  if (auto* const validate = reinterpret_cast<Validate*>(dlsym(RTLD_DEFAULT, "strata_validate"))) {
    validate();
  }
}

int run(int argc, char** argv) {
  CLI::App app(
      "Replays a trace on this process's malloc (choose one by LD_PRELOAD) and prints what it took "
      "as JSON. Exit code 1: the allocator failed or a contents check did; 2: a wrong argument.");
  libc_clock = reinterpret_cast<ClockFunction*>(dlsym(RTLD_NEXT, "clock_gettime"));
  Options options;
  bool is_checked = false;
  bool is_dry = false;
  bool is_untouched = false;
  app.add_option("trace", options.path, "a trace, not compressed")->required();
  app.add_flag("--check", is_checked, "write every byte and check it before it is freed");
  app.add_flag("--untouched", is_untouched, "write nothing into the objects")->excludes("--check");
  app.add_flag("--no-calls", is_dry, "what the replay costs by itself")->excludes("--check");
  app.add_flag("--one-thread", options.is_alone, "all steps on one thread, in order");
  app.add_option("--window", options.window, "how many steps threads may run apart; 0: in order");
  app.add_option("--samples", options.samples, "of the resident size");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // --help is one too
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (is_checked) {
    replay<Contents::checked>(options);
    validate_if_strata();
  } else if (is_dry) {
    replay<Contents::no_calls>(options);
  } else if (is_untouched) {
    replay<Contents::untouched>(options);
  } else {
    replay<Contents::touched>(options);
  }
  return 0;
}

}  // namespace

}  // namespace strata::bench

// Goes before libc's, for the allocator too.
extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  constexpr std::int64_t second_ns = 1'000'000'000;
  if (!strata::bench::has_step_clock()) {
    return strata::bench::libc_clock != nullptr
               ? strata::bench::libc_clock(clock, time)
               : static_cast<int>(syscall(SYS_clock_gettime, clock, time));
  }
  *time = {.tv_sec = strata::bench::step_clock_ns / second_ns,
           .tv_nsec = strata::bench::step_clock_ns % second_ns};
  return 0;
}

int main(int argc, char** argv) {
  try {
    return strata::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "strata-replay: %s\n", error.what());
    return 2;
  }
}
