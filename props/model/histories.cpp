#include "props/model/histories.hpp"

#include <rapidcheck/state.h>

#include <tuple>

#include "props/model/generators.hpp"
#include "props/model/mix.hpp"

namespace strata::check {
namespace {

// What a generator may know of the state: whether there is anything to free.
struct Model {
  std::uint64_t allocated = 0;
};

class Step : public rc::state::Command<Model, Runner> {
 public:
  Step(const Model& model, unsigned size_shift_max)
      : operation_(*operation_of(*kind(model), size_shift_max)) {}

  void apply(Model& model) const override { model.allocated += is_allocation() ? 1 : 0; }
  void run(const Model&, Runner& runner) const override {
    mix().count(name(operation_.kind));
    runner.execute(operation_);
  }
  void show(std::ostream& out) const override { out << to_text(operation_); }

 private:
  static rc::Gen<Kind> kind(const Model& model) {
    const std::size_t frees = model.allocated > 0 ? 1 : 0;
    return rc::gen::weightedElement<Kind>({{6, Kind::allocate},
                                           {3, Kind::allocate_aligned},
                                           {2, Kind::allocate_known},
                                           {3 * frees, Kind::resize},
                                           {9 * frees, Kind::deallocate},
                                           {2, Kind::bad_deallocate},
                                           {1, Kind::purge},
                                           {1, Kind::advance},
                                           {1, Kind::attach},
                                           {1, Kind::detach},
                                           {1, Kind::fail_memory},
                                           {1, Kind::repeat}});
  }
  bool is_allocation() const {
    return operation_.kind == Kind::allocate || operation_.kind == Kind::allocate_aligned ||
           operation_.kind == Kind::allocate_known;
  }

  Operation operation_;
};

rc::Gen<Setup> any_setup() {
  return rc::gen::map(rc::gen::tuple(rc::gen::inRange<std::uint8_t>(0, 4),
                                     rc::gen::arbitrary<bool>(), rc::gen::arbitrary<bool>()),
                      [](const std::tuple<std::uint8_t, bool, bool>& setup) {
                        const auto& [size, head, tail] = setup;
                        return Setup{.size = size, .absent_head = head, .absent_tail = tail};
                      });
}

}  // namespace

void any_history(MakeRunner* make, unsigned size_shift_max, const Effort& effort) {
  mix().begin_sequence();
  for (std::uint8_t kind = 0; kind < kinds; ++kind) {
    const bool is_of_a_driver = Kind{kind} != Kind::validate && Kind{kind} != Kind::choices;
    is_of_a_driver ? mix().expect(name(Kind{kind})) : void();
  }
  const Setup setup = *any_setup();
  const auto runner = make(setup, effort);
  rc::state::check(Model{}, *runner, [=](const Model& model) {
    return rc::state::gen::execOneOfWithArgs<Step>()(model, size_shift_max);
  });
  runner->finish();
  RC_CLASSIFY(runner->failed_allocations() > 0, "ran out");
}

}  // namespace strata::check
