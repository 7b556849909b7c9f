// The operation format: what every check calls, writes down and replays. See FORMAT.md.
//
// Every byte string decodes, so a fuzzer may write anything; encode() writes the one canonical
// form, and decode(encode(x)) == x.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace strata::check {

inline constexpr std::uint8_t format_version = 1;

enum class Kind : std::uint8_t {
  allocate,          // size
  deallocate,        // k
  allocate_aligned,  // size, align_shift
  resize,            // k, size
  allocate_known,    // size
  bad_deallocate,    // bad, k, offset
  purge,
  advance,  // milliseconds
  attach,   // the thread's cache; again after detach
  detach,
  fail_memory,  // pattern, repeats
  validate,
  repeat,   // the next operation is done `times` more times
  choices,  // scheduler choices; drivers of one thread pass over them
};
inline constexpr std::uint8_t kinds = 14;

// Kinds of bad frees. `late` sends the pointer through the thread's own cache and detaches that,
// instead of straight to the books.
enum class Bad : std::uint8_t { twice, interior, foreign, unused, late_twice, late_interior };
inline constexpr std::uint8_t bads = 6;

inline constexpr std::uint8_t program_threads = 4;

struct Operation {
  Kind kind = Kind::allocate;
  std::uint8_t thread = 0;  // which cache does it, below program_threads
  Bad bad = Bad::twice;
  std::uint8_t align_shift = 0;  // log2 of the alignment, below 64
  bool repeats = false;          // the failure pattern starts again when it is used up
  std::uint64_t size = 0;        // bytes
  std::uint64_t k = 0;           // the k-th live object, modulo how many there are
  std::uint64_t number = 0;      // offset, milliseconds, failure pattern (bit i: i-th call), times
  // The initialisers let designated ones leave a member out.
  std::vector<std::uint8_t> choices = {};  // NOLINT(readability-redundant-member-init)

  bool operator==(const Operation&) const = default;
};

// What stands before the operations.
struct Setup {
  std::uint8_t size = 0;     // 0 to 3, see segments()
  bool absent_head = false;  // the reservation is not aligned: the first slot is absent
  bool absent_tail = false;  // and so is the last

  // A few; or so many that blocks take whole segments.
  std::uint32_t segments() const { return size < 3 ? 2U + size : 66U; }

  bool operator==(const Setup&) const = default;
};

struct Program {
  Setup setup = {};
  std::vector<Operation> operations = {};  // NOLINT(readability-redundant-member-init)

  bool operator==(const Program&) const = default;
};

Program decode(std::span<const std::uint8_t> bytes);
std::vector<std::uint8_t> encode(const Program& program);

const char* name(Kind kind);

// One line, as strata-ops prints it: "t0 resize 3 to 100".
std::string to_text(const Operation& operation);
std::string to_text(const Program& program);

// A self-contained C++ function that builds `program` and runs it on the driver of `plan`.
std::string to_cpp(const Program& program, const std::string& plan);

}  // namespace strata::check
