// A RapidCheck model of the heap: any operations, on the reference beside the allocator; each
// failure shrinks to the fewest commands that still fail. The driver looks at everything after each
// command.

#include <rapidcheck/state.h>

#include <algorithm>
#include <tuple>

#include "props/model/generators.hpp"
#include "props/model/property.hpp"
#include "props/support/driver.hpp"
#include "props/support/plans.hpp"

namespace strata::check {
namespace {

// What a generator may know of the state: whether there is anything to free.
struct Model {
  std::uint64_t allocated = 0;
};

template <class AllocatorT, unsigned SizeShiftMax>
class Step : public rc::state::Command<Model, Driver<AllocatorT>> {
 public:
  explicit Step(const Model& model) : operation_(*operation_of(*kind(model), SizeShiftMax)) {}

  void apply(Model& model) const override { model.allocated += is_allocation() ? 1 : 0; }
  void run(const Model&, Driver<AllocatorT>& driver) const override {
    mix().count(name(operation_.kind));
    driver.execute(operation_);
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

// The commands are the last thing drawn, so that they are what a counter-example shows last.
template <class AllocatorT, unsigned SizeShiftMax = AllocatorT::Plan::segment_shift + 1>
void any_history(const Effort& effort) {
  mix().begin_sequence();
  const Setup setup = *any_setup();
  Driver<AllocatorT> driver(setup, effort);
  rc::state::check(Model{}, driver,
                   rc::state::gen::execOneOfWithArgs<Step<AllocatorT, SizeShiftMax>>());
  driver.finish();
  RC_CLASSIFY(driver.failed_allocations() > 0, "ran out");
}

template <class Plan>
using ScriptedAllocator = Allocator<ScriptedHeap<Plan>>;

TEST(HeapModel, Tiny) {
  property([] { any_history<ScriptedAllocator<Tiny>>({}); });
}
TEST(HeapModel, Small) {
  property([] { any_history<ScriptedAllocator<Small>>({}); });
}
TEST(HeapModel, SmallQuarter) {
  property([] { any_history<ScriptedAllocator<SmallQuarter>>({}); });
}
TEST(HeapModel, Pow2) {
  property([] { any_history<ScriptedAllocator<plan::Pow2>>({.validate_interval = 16}); });
}
TEST(HeapModel, Quarter) {
  property([] { any_history<ScriptedAllocator<plan::Quarter>>({.validate_interval = 16}); });
}

// The system's memory: contents are bytes, and what is not writable faults.
TEST(HeapModel, RealMemory) {
  using Real = Allocator<Heap<plan::Pow2, Linux, PlainSync, TouchHooks>>;
  property([] { any_history<Real, 27>({.validate_interval = 16}); });
}

// --- The checks themselves: planted bugs are found, and shrink to a few commands -----------------

using Sound = ScriptedAllocator<Tiny>;

// Every third aligned request gets what the first one got.
struct Overlaps : Sound {
  Address allocate_aligned(Cache* cache, std::uint64_t size, std::uint64_t align) {
    const Address address = Sound::allocate_aligned(cache, size, align);
    ++requests;
    first = requests == 1 ? address : first;
    return requests == 3 ? first : address;
  }
  int requests = 0;
  Address first = 0;
};

// The third free is lost.
struct Leaks : Sound {
  void deallocate(Cache* cache, Address address) {
    if (++frees != 3) {
      Sound::deallocate(cache, address);
    }
  }
  int frees = 0;
};

// Frees of what is not the start of anything are taken without a word.
struct Silent : Sound {
  void deallocate(Cache* cache, Address address) {
    if (address == 0 || usable_bytes(address) != 0) {
      Sound::deallocate(cache, address);
    }
  }
};

// Fresh memory is called zero, whatever is in it.
struct SaysZero : Sound {
  Allocation allocate_known(Cache* cache, std::uint64_t size) {
    Allocation allocation = Sound::allocate_known(cache, size);
    allocation.known_zero = true;
    return allocation;
  }
};

template <class Planted>
class PlantedBug : public testing::Test {};
using PlantedBugs = testing::Types<Overlaps, Leaks, Silent, SaysZero>;
TYPED_TEST_SUITE(PlantedBug, PlantedBugs);

struct SilentListener : rc::detail::TestListener {
  void onTestCaseFinished(const rc::detail::CaseDescription&) override {}
  void onShrinkTried(const rc::detail::CaseDescription&, bool) override {}
  void onTestFinished(const rc::detail::TestMetadata&, const rc::detail::TestResult&) override {}
};

TYPED_TEST(PlantedBug, IsFoundAndShrinksToAFewCommands) {
  rc::detail::TestParams params;
  params.seed = 1;
  params.maxSuccess = 1000;
  SilentListener listener;
  const auto result = rc::detail::checkProperty(
      rc::detail::toProperty([] { any_history<TypeParam>({}); }), {}, params, listener);
  ASSERT_TRUE(result.template is<rc::detail::FailureResult>());
  const auto& failure = result.template get<rc::detail::FailureResult>();
  const std::string& commands = failure.counterExample.back().second;
  EXPECT_LE(std::count(commands.begin(), commands.end(), '\n'), 4) << commands;
  EXPECT_GE(std::count(commands.begin(), commands.end(), '\n'), 1) << failure.description;
  std::cout << failure.description << '\n' << commands;
}

}  // namespace
}  // namespace strata::check
