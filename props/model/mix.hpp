// Which commands a property has run, and how often: printed at its end, so that it shows what was
// tried. One that was never run in many sequences makes it fail: see property().
#pragma once

#include <cstdint>
#include <map>
#include <ostream>
#include <string>

namespace strata::check {

class Mix {
 public:
  void begin_sequence() { ++sequences_; }
  // That it will be run sooner or later.
  void expect(const char* command) { commands_[command] += 0; }
  void count(const char* command) { ++commands_[command]; }
  void clear() { *this = Mix(); }

  // Of shrinking too, if it came to that.
  friend std::ostream& operator<<(std::ostream& out, const Mix& mix) {
    std::uint64_t total = 0;
    for (const auto& [command, times] : mix.commands_) {
      total += times;
    }
    out << mix.sequences_ << " command sequences, " << total << " commands:";
    for (const auto& [command, times] : mix.commands_) {
      out << ' ' << command << ' ' << times * 100 / total << " %";
    }
    return out;
  }
  bool empty() const { return sequences_ == 0; }
  // Empty if there were few sequences.
  std::string never_run() const {
    std::string names;
    for (const auto& [command, times] : commands_) {
      names += times == 0 && sequences_ >= 100 ? " " + command : "";
    }
    return names;
  }

 private:
  std::uint64_t sequences_ = 0;
  std::map<std::string, std::uint64_t> commands_;
};

// Of the property that runs.
inline Mix& mix() {
  static Mix mix;
  return mix;
}

}  // namespace strata::check
