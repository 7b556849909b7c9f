// What a step of a trace asks of malloc, with contents written and checked, or only touched.
#pragma once

#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdlib>
#include <thread>

#include "bench/replay/script.hpp"

namespace strata::bench {

enum class Contents : std::uint8_t { touched, untouched, checked, no_calls };

[[noreturn]]
void fail(const Step& step, const char* what);

// An object's pointer, by its number; null until it is made. Of a request that was rightly answered
// by null (size 0) it is `nowhere`.
using Pointers = Mapped<std::atomic<void*>>;

template <Contents contents>
class Performer {
 public:
  Performer(const Script& script, Pointers& pointers) : script_(script), pointers_(pointers) {}

  void perform(const Step& step) {
    switch (step.kind) {
      case Kind::deallocate:
        end(step);
        break;
      case Kind::resize:
        resize(step);
        break;
      default:
        make(step);
        break;
    }
  }

 private:
  static void* nowhere() { return reinterpret_cast<void*>(1); }

  void make(const Step& step) {
    void* const pointer = request(step);
    if (contents == Contents::checked) {
      check_fresh(step, pointer);
    }
    publish(step, pointer);
  }

  void end(const Step& step) {
    void* const pointer = wait_for(step.old);
    if (contents == Contents::checked) {
      check_words(step, pointer, step.old, script_.sizes[step.old]);
    }
    if (contents != Contents::no_calls && pointer != nowhere()) {
      std::free(pointer);
    }
  }

  void resize(const Step& step) {
    void* const old = wait_for(step.old);
    if (contents == Contents::no_calls) {
      return publish(step, nowhere());
    }
    void* const pointer = std::realloc(old == nowhere() ? nullptr : old, step.size);
    if (contents == Contents::checked && pointer != nullptr) {
      check_fresh(step, pointer);
      check_words(step, pointer, step.old, std::min(script_.sizes[step.old], step.size));
    }
    publish(step, pointer);
  }

  static void* request(const Step& step) {
    if (contents == Contents::no_calls) {
      return nowhere();
    }
    if (step.kind == Kind::allocate_known) {
      return std::calloc(1, step.size);
    }
    if (step.kind == Kind::allocate_aligned) {
      return memalign(std::size_t{1} << step.align_shift, step.size);
    }
    return std::malloc(step.size);
  }

  void publish(const Step& step, void* pointer) {
    if (pointer == nullptr && step.size > 0) {
      fail(step, "was refused");
    }
    if (pointer == nullptr) {
      pointer = nowhere();
    }
    write(step, pointer);
    pointers_[step.object].store(pointer, std::memory_order_release);
  }

  // Another thread may still be about to make it.
  void* wait_for(std::uint32_t object) {
    void* pointer = pointers_[object].load(std::memory_order_acquire);
    while (pointer == nullptr) {
      std::this_thread::yield();
      pointer = pointers_[object].load(std::memory_order_acquire);
    }
    return pointer;
  }

  // As a program would: each page, or with checking every byte.
  static void write(const Step& step, void* pointer) {
    if (contents == Contents::untouched || contents == Contents::no_calls || pointer == nowhere()) {
      return;
    }
    auto* const bytes = static_cast<volatile unsigned char*>(pointer);
    constexpr std::size_t page_bytes = 4096;
    constexpr std::size_t stride = contents == Contents::checked ? 1 : page_bytes;
    for (std::size_t at = 0; at < step.size; at += stride) {
      bytes[at] = value(step.object, at);
    }
  }

  static unsigned char value(std::uint64_t object, std::size_t at) {
    return static_cast<unsigned char>(object * 167 + (object >> 8) * 13 + at * 31);
  }

  static void check_fresh(const Step& step, void* pointer) {
    if (pointer == nullptr) {
      return;
    }
    if (malloc_usable_size(pointer) < step.size) {
      fail(step, "has too few usable bytes");
    }
    const std::uintptr_t align = step.kind == Kind::allocate_aligned
                                     ? std::uintptr_t{1} << step.align_shift
                                     : std::min<std::uintptr_t>(16, std::bit_floor(step.size | 1));
    if (reinterpret_cast<std::uintptr_t>(pointer) % align != 0) {
      fail(step, "is not aligned");
    }
    for (std::size_t at = 0; step.kind == Kind::allocate_known && at < step.size; ++at) {
      if (static_cast<unsigned char*>(pointer)[at] != 0) {
        fail(step, "is not zero");
      }
    }
  }

  static void check_words(const Step& step, void* pointer, std::uint64_t object,
                          std::uint64_t size_bytes) {
    for (std::size_t at = 0; pointer != nowhere() && at < size_bytes; ++at) {
      if (static_cast<unsigned char*>(pointer)[at] != value(object, at)) {
        fail(step, "finds contents that changed");
      }
    }
  }

  const Script& script_;
  Pointers& pointers_;
};

}  // namespace strata::bench
