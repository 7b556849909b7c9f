// Sequences of commands on a part of the core beside a model of it. A model has
//
//   static constexpr Command<Model> commands[]    the name of each, and what does it
//   void check()                                  compares all that can be seen; after each command
//
// A command's operands are any numbers, which it takes modulo what there is.
#pragma once

#include <rapidcheck.h>

#include <iterator>
#include <ostream>
#include <vector>

#include "props/model/mix.hpp"

namespace strata::check {

template <class Model>
struct Command {
  const char* name;
  void (Model::*run)(std::uint32_t a, std::uint32_t b);
};

template <class Model>
struct Step {
  std::uint32_t command, a, b;

  const Command<Model>& what() const { return Model::commands[command]; }
};

template <class Model>
void showValue(const Step<Model>& step, std::ostream& out) {
  out << step.what().name << ' ' << step.a << ' ' << step.b;
}

template <class Model>
rc::Gen<std::vector<Step<Model>>> any_steps() {
  const auto any = rc::gen::inRange<std::uint32_t>(0, 1024);
  const auto step =
      rc::gen::apply([](std::uint32_t command, std::uint32_t a,
                        std::uint32_t b) { return Step<Model>{command, a, b}; },
                     rc::gen::inRange<std::uint32_t>(0, std::size(Model::commands)), any, any);
  // Operands have their full range from the first case on: a small case is a short history.
  const auto full = rc::gen::resize(rc::kNominalSize, step);
  return rc::gen::container<std::vector<Step<Model>>>(full);
}

// The steps are the last thing drawn, so that they are what a counter-example shows last.
template <class Model>
void any_commands(Model&& model) {
  mix().begin_sequence();
  for (const auto& command : std::remove_reference_t<Model>::commands) {
    mix().expect(command.name);
  }
  for (const auto& step : *any_steps<std::remove_reference_t<Model>>()) {
    mix().count(step.what().name);
    (model.*step.what().run)(step.a, step.b);
    model.check();
  }
}

}  // namespace strata::check
