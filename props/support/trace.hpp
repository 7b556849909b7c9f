// The trace flavour of the operation format: what a running program asked of malloc. See FORMAT.md.
//
// Neither side allocates, so that the recorder can write from inside malloc. As in the other
// flavour every byte string decodes, the writer writes the one canonical form, and reading it back
// gives the same operations.
#pragma once

#include <cstdint>
#include <span>

#include "props/support/byte_reader.hpp"
#include "props/support/operation.hpp"

namespace strata::check {

inline constexpr std::uint8_t trace_version = 2;

// Kind is allocate, allocate_known (calloc), allocate_aligned, resize or deallocate. Objects are
// numbered in the order in which they are made; a resize makes a new one of the old.
struct TraceOperation {
  Kind kind = Kind::allocate;
  std::uint8_t align_shift = 0;  // log2 of the alignment, below 64
  std::uint16_t thread = 0;
  std::uint64_t object = 0;  // that is made
  std::uint64_t old = 0;     // that ends, below `object`
  std::uint64_t size = 0;    // bytes

  bool makes() const { return kind != Kind::deallocate; }
  bool ends() const { return kind == Kind::deallocate || kind == Kind::resize; }
  bool operator==(const TraceOperation&) const = default;
};

namespace trace_code {

enum : std::uint8_t { end, thread, allocate, allocate_known, allocate_aligned, resize, deallocate };
inline constexpr unsigned opcode_bits = 3;
inline constexpr std::uint64_t operand_inline = 31;  // this and more: the rest follows

inline std::uint8_t opcode(Kind kind) {
  switch (kind) {
    case Kind::allocate_known:
      return allocate_known;
    case Kind::allocate_aligned:
      return allocate_aligned;
    case Kind::resize:
      return resize;
    case Kind::deallocate:
      return deallocate;
    default:
      return allocate;
  }
}

}  // namespace trace_code

// `out(byte)` is called for every byte.
template <class Out>
class TraceWriter {
 public:
  explicit TraceWriter(Out out) : out_(out) { out_(trace_version); }

  // Precondition: op.object is how many objects there were before, for an operation that makes one.
  void write(const TraceOperation& op) {
    if (op.thread != thread_) {
      head(trace_code::thread, op.thread);
      thread_ = op.thread;
    }
    const std::uint8_t code = trace_code::opcode(op.kind);
    head(code, op.ends() ? objects_ - 1 - op.old : op.size);
    if (op.kind == Kind::allocate_aligned) {
      out_(op.align_shift);
    }
    if (op.kind == Kind::resize) {
      number(op.size);
    }
    objects_ += op.makes() ? 1 : 0;
  }

  std::uint64_t objects() const { return objects_; }

 private:
  void head(std::uint8_t code, std::uint64_t operand) {
    const bool is_inline = operand < trace_code::operand_inline;
    const std::uint64_t high = is_inline ? operand : trace_code::operand_inline;
    out_(static_cast<std::uint8_t>(high << trace_code::opcode_bits | code));
    if (!is_inline) {
      number(operand - trace_code::operand_inline);
    }
  }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      out_(static_cast<std::uint8_t>((value & 0x7F) | 0x80));
    }
    out_(static_cast<std::uint8_t>(value));
  }

  Out out_;
  std::uint64_t objects_ = 0;
  std::uint16_t thread_ = 0;
};

class TraceReader {
 public:
  explicit TraceReader(std::span<const std::uint8_t> bytes) : in_(bytes) {
    in_.byte();  // the version
  }

  static bool is_trace(std::span<const std::uint8_t> bytes) {
    return !bytes.empty() && bytes.front() == trace_version;
  }

  // False at the end.
  bool next(TraceOperation& op) {
    for (;;) {
      const std::uint8_t first = in_.byte();
      const std::uint8_t code = first & ((1U << trace_code::opcode_bits) - 1);
      if (code == trace_code::end) {
        in_.drop_rest();
        return false;
      }
      const std::uint64_t operand = head_operand(first >> trace_code::opcode_bits);
      if (code == trace_code::thread) {
        thread_ = static_cast<std::uint16_t>(operand);
      } else if (read(op, code, operand)) {
        return true;
      }
    }
  }

  std::uint64_t objects() const { return objects_; }

 private:
  std::uint64_t head_operand(std::uint64_t high) {
    return high < trace_code::operand_inline ? high : high + in_.number();
  }

  // False if it ends an object and there is none yet.
  bool read(TraceOperation& op, std::uint8_t code, std::uint64_t operand) {
    op = {.thread = thread_};
    switch (code) {
      case trace_code::allocate_known:
        op.kind = Kind::allocate_known;
        break;
      case trace_code::allocate_aligned:
        op.kind = Kind::allocate_aligned;
        op.align_shift = in_.byte() % 64;
        break;
      case trace_code::resize:
        op.kind = Kind::resize;
        op.size = in_.number();
        break;
      case trace_code::deallocate:
        op.kind = Kind::deallocate;
        break;
      default:
        break;
    }
    if (!op.ends()) {
      op.size = operand;
    } else if (objects_ > 0) {
      op.old = objects_ - 1 - operand % objects_;
    } else {
      return false;
    }
    op.object = op.makes() ? objects_++ : 0;
    return true;
  }

  ByteReader in_;
  std::uint64_t objects_ = 0;
  std::uint16_t thread_ = 0;
};

// One line, as strata-ops prints it.
std::string to_text(const TraceOperation& operation);

// The first operations of a trace in the other flavour, to seed a fuzzer. Not always the same
// program: there a resize in place keeps the object's rank, here the object is a new one.
Program to_program(std::span<const std::uint8_t> trace, std::size_t operations);

}  // namespace strata::check
