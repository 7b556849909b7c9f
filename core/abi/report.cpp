#include "abi/report.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>  // declares __assert_fail
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace strata {

namespace {

// So much of an option that the remedy fits on the line as well. (substr would need the C++
// library.)
std::string_view shown(std::string_view option) {
  constexpr std::size_t shown_max = 64;
  return {option.data(), std::min(option.size(), shown_max)};
}

// One line, built without allocating, cut off at its end.
class Line {
 public:
  Line& text(std::string_view text) {
    const std::size_t n = std::min(text.size(), buffer_.size() - 1 - size_);
    std::memcpy(buffer_.data() + size_, text.data(), n);
    size_ += n;
    return *this;
  }
  Line& number(std::uint64_t value, unsigned base = 10) {
    std::array<char, 20> digits;
    std::size_t at = digits.size();
    do {
      digits[--at] = "0123456789abcdef"[value % base];
      value /= base;
    } while (value != 0);
    return text({digits.data() + at, digits.size() - at});
  }
  void write_out() {
    buffer_[size_++] = '\n';
    // Nothing can be done if standard error is gone.
    [[maybe_unused]]
    const ssize_t written = write(STDERR_FILENO, buffer_.data(), size_);
  }

 private:
  std::array<char, 512> buffer_;
  std::size_t size_ = 0;
};

}  // namespace

void report_and_abort(const Report& report) {
  Line line;
  line.text("strata: ").text(describe(report.problem));
  if (report.invariant != nullptr) {
    line.text(": ").text(report.invariant);
  }
  line.text(": 0x").number(report.address, 16);
  if (report.slot != ~0U) {
    line.text(" (region ").number(report.slot).text(", class ").number(report.cls);
    if (report.unit_bytes != 0) {
      line.text(", units of ").number(report.unit_bytes).text(" bytes");
    }
    if (report.unit != ~0ULL) {
      line.text(report.item == ~0ULL ? ", block " : ", chunk ").number(report.unit);
    }
    if (report.item != ~0ULL) {
      line.text(", item ").number(report.item);
    }
    line.text(")");
  }
  line.write_out();
  std::abort();
}

void abort_out_of_memory() {
  Line line;
  line.text("strata: operator new: out of memory, and no C++ library that could throw bad_alloc");
  line.write_out();
  std::abort();
}

void reject_option(std::string_view option, const char* remedy) {
  Line line;
  line.text("strata: cannot read \"").text(shown(option));
  line.text("\" in STRATA_OPTIONS: ").text(remedy);
  line.write_out();
  _exit(2);
}

void pass_over_option(std::string_view option, const char* remedy) {
  const int saved = errno;  // programs find it zero when they start
  Line line;
  line.text("strata: \"").text(shown(option));
  line.text("\" in STRATA_OPTIONS does nothing in this library: ").text(remedy).write_out();
  errno = saved;
}

void AbortingHandler::out_of_order(Rank taken, Rank held) {
  Report report;
  report.problem = Problem::lock_order;
  report.invariant = "a lock's rank is above those held (unit: rank taken, item: rank held)";
  report.slot = 0;
  report.unit = taken;
  report.item = held;
  report_and_abort(report);
}

}  // namespace strata

#if STRATA_CHECKED
// The C library's would allocate its message, and wait for a lock that this thread may hold.
extern "C" void __assert_fail(const char* assertion, const char* file, unsigned int line,
                              const char* function) noexcept {
  strata::Line message;
  message.text("strata: ").text(file).text(":").number(line).text(": ").text(function);
  message.text(": assertion failed: ").text(assertion).write_out();
  std::abort();
}
#endif
