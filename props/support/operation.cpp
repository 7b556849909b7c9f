#include "props/support/operation.hpp"

#include <fmt/format.h>

#include <array>
#include <bit>

#include "props/support/byte_reader.hpp"

namespace strata::check {

namespace {

// Opcodes are 4 bits; the two after the kinds are further names of the commonest operations, so
// that random bytes keep a heap busy.
constexpr std::array<Kind, 16> kind_of_opcode = {
    Kind::allocate,  Kind::deallocate,     Kind::allocate_aligned,
    Kind::resize,    Kind::allocate_known, Kind::bad_deallocate,
    Kind::purge,     Kind::advance,        Kind::attach,
    Kind::detach,    Kind::fail_memory,    Kind::validate,
    Kind::repeat,    Kind::choices,        Kind::allocate,
    Kind::deallocate};

class Reader : public ByteReader {
 public:
  using ByteReader::ByteReader;

  // Four forms, told apart by the top two bits; see FORMAT.md.
  std::uint64_t size() {
    const std::uint8_t first = byte();
    const std::uint64_t low = first & 0x3FU;
    switch (first >> 6) {
      case 0:
        return low;
      case 1:
        return (low + 1) * 64;
      case 2:
        return (std::uint64_t{1} << low) + (std::uint64_t{byte()} - 128);
      default:
        return number();
    }
  }

  std::vector<std::uint8_t> string() {
    std::vector<std::uint8_t> value(byte());
    for (std::uint8_t& each : value) {
      each = byte();
    }
    return value;
  }
};

class Writer {
 public:
  void byte(std::uint64_t value) { bytes_.push_back(static_cast<std::uint8_t>(value)); }

  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) {
      byte((value & 0x7F) | 0x80);
    }
    byte(value);
  }

  // The shortest form that there is.
  void size(std::uint64_t value) {
    if (value < 64) {
      byte(value);
    } else if (value % 64 == 0 && value <= 4096) {
      byte(0x40 | (value / 64 - 1));
    } else if (const auto shift = near_power(value); shift < 64) {
      byte(0x80U | shift);
      byte(value - (std::uint64_t{1} << shift) + 128);
    } else {
      byte(0xC0);
      number(value);
    }
  }

  void string(const std::vector<std::uint8_t>& value) {
    byte(value.size());
    bytes_.insert(bytes_.end(), value.begin(), value.end());
  }

  std::vector<std::uint8_t> take() { return std::move(bytes_); }

 private:
  // The s for which value is 2^s - 128 .. 2^s + 127, or 64.
  static unsigned near_power(std::uint64_t value) {
    for (unsigned shift = 0; shift < 64; ++shift) {
      if (value - (std::uint64_t{1} << shift) + 128 < 256) {
        return shift;
      }
    }
    return 64;
  }

  std::vector<std::uint8_t> bytes_;
};

Operation read_operation(Reader& in) {
  Operation op;
  const std::uint8_t head = in.byte();
  op.kind = kind_of_opcode[head & 0x0F];
  op.thread = (head >> 4) % program_threads;
  switch (op.kind) {
    case Kind::allocate:
    case Kind::allocate_known:
      op.size = in.size();
      break;
    case Kind::allocate_aligned:
      op.align_shift = in.byte() % 64;
      op.size = in.size();
      break;
    case Kind::resize:
      op.k = in.number();
      op.size = in.size();
      break;
    case Kind::deallocate:
      op.k = in.number();
      break;
    case Kind::bad_deallocate:
      op.bad = static_cast<Bad>(in.byte() % bads);
      op.k = in.number();
      op.number = in.number();
      break;
    case Kind::fail_memory: {
      op.repeats = (in.byte() & 1) != 0;
      op.number = in.number();
      break;
    }
    case Kind::advance:
    case Kind::repeat:
      op.number = in.number();
      break;
    case Kind::choices:
      op.choices = in.string();
      break;
    case Kind::purge:
    case Kind::attach:
    case Kind::detach:
    case Kind::validate:
      break;
  }
  return op;
}

void write_operation(Writer& out, const Operation& op) {
  out.byte(static_cast<unsigned>(op.kind) | static_cast<unsigned>(op.thread) << 4);
  switch (op.kind) {
    case Kind::allocate:
    case Kind::allocate_known:
      out.size(op.size);
      break;
    case Kind::allocate_aligned:
      out.byte(op.align_shift);
      out.size(op.size);
      break;
    case Kind::resize:
      out.number(op.k);
      out.size(op.size);
      break;
    case Kind::deallocate:
      out.number(op.k);
      break;
    case Kind::bad_deallocate:
      out.byte(static_cast<std::uint8_t>(op.bad));
      out.number(op.k);
      out.number(op.number);
      break;
    case Kind::fail_memory:
      out.byte(op.repeats ? 1 : 0);
      out.number(op.number);
      break;
    case Kind::advance:
    case Kind::repeat:
      out.number(op.number);
      break;
    case Kind::choices:
      out.string(op.choices);
      break;
    case Kind::purge:
    case Kind::attach:
    case Kind::detach:
    case Kind::validate:
      break;
  }
}

const char* name(Bad bad) {
  static constexpr std::array<const char*, bads> names = {"twice",  "interior",   "foreign",
                                                          "unused", "late_twice", "late_interior"};
  return names[static_cast<std::size_t>(bad)];
}

// "size 100", "k 3", ...: the operands that this kind has.
std::string operands(const Operation& op) {
  switch (op.kind) {
    case Kind::allocate:
    case Kind::allocate_known:
      return fmt::format(" {}", op.size);
    case Kind::allocate_aligned:
      return fmt::format(" {} at 2^{}", op.size, op.align_shift);
    case Kind::resize:
      return fmt::format(" {} to {}", op.k, op.size);
    case Kind::deallocate:
      return fmt::format(" {}", op.k);
    case Kind::bad_deallocate:
      return fmt::format(" {} {} + {}", name(op.bad), op.k, op.number);
    case Kind::advance:
      return fmt::format(" {} ms", op.number);
    case Kind::fail_memory:
      return fmt::format(" {:#b}{}", op.number, op.repeats ? " again and again" : "");
    case Kind::repeat:
      return fmt::format(" {} times", op.number);
    case Kind::choices:
      return fmt::format(" {}", fmt::join(op.choices, " "));
    default:
      return {};
  }
}

}  // namespace

const char* name(Kind kind) {
  static constexpr std::array<const char*, kinds> names = {
      "allocate",       "deallocate", "allocate_aligned", "resize", "allocate_known",
      "bad_deallocate", "purge",      "advance",          "attach", "detach",
      "fail_memory",    "validate",   "repeat",           "choices"};
  return names[static_cast<std::size_t>(kind)];
}

Program decode(std::span<const std::uint8_t> bytes) {
  Reader in(bytes);
  Program program;
  in.byte();  // the version; every value still reads as version 1
  const std::uint8_t setup = in.byte();
  program.setup = {.size = static_cast<std::uint8_t>(setup & 3),
                   .absent_head = (setup & 4) != 0,
                   .absent_tail = (setup & 8) != 0};
  program.operations.reserve(bytes.size() / 2 + 1);  // most operations take two bytes or more
  while (!in.at_end()) {
    program.operations.push_back(read_operation(in));
  }
  return program;
}

std::vector<std::uint8_t> encode(const Program& program) {
  Writer out;
  out.byte(format_version);
  out.byte(program.setup.size | (program.setup.absent_head ? 4U : 0U) |
           (program.setup.absent_tail ? 8U : 0U));
  for (const Operation& op : program.operations) {
    write_operation(out, op);
  }
  return out.take();
}

std::string to_text(const Operation& op) {
  return fmt::format("t{} {}{}", op.thread, name(op.kind), operands(op));
}

std::string to_text(const Program& program) {
  const Setup& setup = program.setup;
  std::string text = fmt::format("setup {} segments{}{}\n", setup.segments(),
                                 setup.absent_head ? ", first slot absent" : "",
                                 setup.absent_tail ? ", last slot absent" : "");
  for (std::size_t i = 0; i < program.operations.size(); ++i) {
    text += fmt::format("{:4} {}\n", i, to_text(program.operations[i]));
  }
  return text;
}

std::string to_cpp(const Program& program, const std::string& plan) {
  std::string text = fmt::format(
      "// clang++-19 -std=c++20 -g -Icore -I. THIS.cpp props/support/arena.cpp \\\n"
      "//   props/support/operation.cpp props/support/violation.cpp -lfmt\n"
      "#include \"props/support/driver.hpp\"\n"
      "#include \"props/support/plans.hpp\"\n\n"
      "int main() {{\n"
      "  using namespace strata::check;\n"
      "  Program program;\n"
      "  program.setup = {{.size = {}, .absent_head = {}, .absent_tail = {}}};\n"
      "  program.operations = {{\n",
      program.setup.size, program.setup.absent_head, program.setup.absent_tail);
  for (const Operation& op : program.operations) {
    text += fmt::format(
        "      {{.kind = Kind::{}, .thread = {}, .bad = Bad::{}, .align_shift = {}, .repeats = "
        "{},\n"
        "       .size = {}u, .k = {}u, .number = {}u, .choices = {{{}}}}},  // {}\n",
        name(op.kind), op.thread, name(op.bad), op.align_shift, op.repeats, op.size, op.k,
        op.number, fmt::join(op.choices, ", "), to_text(op));
  }
  return text + fmt::format("  }};\n  run_program<{}>(program);\n}}\n", plan);
}

}  // namespace strata::check
