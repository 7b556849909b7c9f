// A stack of its own that a scheduler can jump to and from. x86-64 System V only.
#pragma once

#include <cstddef>

namespace strata::check {

class Fibre {
 public:
  using Entry = void (*)();  // must not return: it ends by jumping away

  Fibre() = default;  // the thread that is running: has no stack of its own, may be jumped from
  ~Fibre();
  Fibre(const Fibre&) = delete;
  Fibre& operator=(const Fibre&) = delete;

  // The next jump to this fibre calls `entry` on an empty stack; what it was doing is forgotten,
  // without running any destructor.
  void restart(Entry entry);

  static void jump(Fibre& from, Fibre& to);

 private:
  std::byte* stack_ = nullptr;  // mapped at the first restart
  void* stack_pointer_ = nullptr;
};

}  // namespace strata::check
