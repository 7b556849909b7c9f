#include "props/support/scheduler_fibre.hpp"

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#if !defined(__x86_64__)
#error "the scheduler's fibres are written for x86-64"
#endif

// Saves the callee-saved registers on the old stack, its pointer in *save, and undoes that on the
// new one. (ucontext makes two system calls a switch, which is most of a search's time.)
extern "C" void strata_check_switch_stack(void** save, void* load);
asm(R"(
.text
.type strata_check_switch_stack, @function
strata_check_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size strata_check_switch_stack, . - strata_check_switch_stack
)");

namespace strata::check {

namespace {

constexpr std::size_t stack_bytes = 256 * 1024;
constexpr std::size_t guard_bytes = 4096;

std::byte* map_stack() {
  void* const stack =
      mmap(nullptr, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (stack == MAP_FAILED || mprotect(stack, guard_bytes, PROT_NONE) != 0) {
    std::perror("a fibre's stack");
    std::abort();
  }
  return static_cast<std::byte*>(stack);
}

}  // namespace

Fibre::~Fibre() {
  if (stack_ != nullptr) {
    munmap(stack_, stack_bytes);
  }
}

void Fibre::restart(Entry entry) {
  if (stack_ == nullptr) {
    stack_ = map_stack();
  }
  // From the top: a null return address for entry (which leaves the stack as a call would), entry,
  // and six registers to pop.
  auto* top = reinterpret_cast<std::uint64_t*>(stack_ + stack_bytes) - 1;
  *top = 0;
  *--top = reinterpret_cast<std::uint64_t>(entry);
  for (int saved = 0; saved < 6; ++saved) {
    *--top = 0;
  }
  stack_pointer_ = top;
}

void Fibre::jump(Fibre& from, Fibre& to) {
  strata_check_switch_stack(&from.stack_pointer_, to.stack_pointer_);
}

}  // namespace strata::check
