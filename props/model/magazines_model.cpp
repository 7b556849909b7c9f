// A thread's magazines against a stack a class, and the registry of caches against a set.

#include <algorithm>
#include <map>
#include <span>

#include "cache/registry.hpp"
#include "props/model/level.hpp"
#include "props/model/lies.hpp"
#include "props/model/property.hpp"

namespace strata::check {
namespace {

template <class Plan>
class MagazinesModel {
  using Cache = strata::Cache<Plan>;
  using Limits = typename Cache::Limits;

 public:
  // The memory of a slot is zero at first.
  MagazinesModel() : memory_((Cache::bytes() + 7) / 8) {
    cache().initialise(0);
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      limits_[cls] = std::min(Limits::limit_first, Limits::capacity(cls));
    }
  }

  void check() {
    RC_ASSERT(cache().has_magazines());
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      RC_ASSERT(cache().count(cls) == stacks_[cls].size());
      RC_ASSERT(cache().limit(cls) == limits_[cls]);
      RC_ASSERT(
          std::ranges::equal(stacks_[cls], std::span(cache().pointers(cls), cache().count(cls))));
    }
  }

  Cache& cache() { return *reinterpret_cast<Cache*>(memory_.data()); }

 private:
  static plan::Class item_class(std::uint32_t number) { return number % Plan::item_classes + 1; }

  void push(std::uint32_t number, std::uint32_t) {
    const plan::Class cls = item_class(number);
    const Address pointer = ++last_ * 16;
    const bool fits = stacks_[cls].size() < limits_[cls];
    RC_ASSERT(cache().push(cls, pointer) == fits);
    if (fits) {
      stacks_[cls].push_back(pointer);
    }
  }
  void push_many(std::uint32_t number, std::uint32_t count) {
    for (std::uint32_t i = 0; i <= count % 64; ++i) {
      push(number, 0);
    }
  }
  void pop(std::uint32_t number, std::uint32_t) {
    std::vector<Address>& stack = stacks_[item_class(number)];
    const Address expected = stack.empty() ? 0 : stack.back();
    RC_ASSERT(cache().pop(item_class(number)) == expected);
    if (!stack.empty()) {
      stack.pop_back();
    }
  }
  // Up to the capacity, as misses do.
  void grow(std::uint32_t number, std::uint32_t) {
    const plan::Class cls = item_class(number);
    const bool can = limits_[cls] < Limits::capacity(cls);
    limits_[cls] = std::min(2 * limits_[cls], Limits::capacity(cls));
    RC_ASSERT(cache().grow(cls) == can);
  }
  void drop_older(std::uint32_t number, std::uint32_t) {
    const plan::Class cls = item_class(number);
    std::vector<Address>& stack = stacks_[cls];
    const auto older = static_cast<std::ptrdiff_t>((stack.size() + 1) / 2);
    Address* const pointers = cache().pointers(cls);
    std::copy(pointers + older, pointers + stack.size(), pointers);
    cache().set_count(cls,
                      static_cast<std::uint32_t>(stack.size()) - static_cast<std::uint32_t>(older));
    stack.erase(stack.begin(), stack.begin() + older);
  }
  // Classes without a magazine are empty and full at once, and so is every class of no cache.
  void other_class(std::uint32_t number, std::uint32_t) {
    static Cache none{};
    const plan::Class others = Plan::class_limit - Plan::item_classes - 1;
    const plan::Class cls =
        number % (others + 1) == 0 ? plan::Class{0} : Plan::item_classes + number % (others + 1);
    RC_ASSERT(cache().pop(cls) == 0U);
    RC_ASSERT(!cache().push(cls, 16));
    RC_ASSERT(none.pop(item_class(number)) == 0U);
    RC_ASSERT(!none.push(item_class(number), 16));
    RC_ASSERT(!none.has_magazines());
  }

  std::vector<std::uint64_t> memory_;
  std::map<plan::Class, std::vector<Address>> stacks_;
  std::map<plan::Class, std::uint32_t> limits_;
  Address last_ = 0;

 public:
  static constexpr Command<MagazinesModel> commands[] = {
      {"push", &MagazinesModel::push},
      {"push many", &MagazinesModel::push_many},
      {"pop", &MagazinesModel::pop},
      {"grow", &MagazinesModel::grow},
      {"drop older", &MagazinesModel::drop_older},
      {"other class", &MagazinesModel::other_class}};
};

template <class Plan>
class RegistryModel : public Level<Plan> {
  using Base = Level<Plan>;
  using Registry = strata::Registry<typename Base::Heap>;
  using Cache = typename Registry::Cache;
  static constexpr std::uint32_t segments = 2;
  static constexpr std::uint64_t heap_bytes = segments * Plan::segment_bytes;

 public:
  RegistryModel()
      : Base({.segments = segments, .cache_bytes = Registry::bytes_for(heap_bytes)}),
        registry_(this->heap_) {
    RC_ASSERT(registry_.open(heap_bytes));
  }

  static constexpr Command<RegistryModel> commands[] = {{"take", &RegistryModel::take},
                                                        {"take again", &RegistryModel::take},
                                                        {"put", &RegistryModel::put},
                                                        {"refuse", &RegistryModel::refuse}};

  void check() {
    std::set<Cache*> seen;
    registry_.each([&](Cache* cache) { seen.insert(cache); });
    RC_ASSERT(seen == used_);
  }

 private:
  // The lowest that is free; what it held before is gone.
  void take(std::uint32_t number, std::uint32_t) {
    const bool refuses = this->heap_.memory.failures.pattern != 0;
    Cache* const cache = registry_.take();
    if (cache == nullptr) {
      RC_ASSERT((refuses || used_.size() == Registry::slots_for(heap_bytes)));
      this->heap_.memory.failures = {};
      return;
    }
    RC_ASSERT(used_.insert(cache).second);
    RC_ASSERT(cache->has_magazines());
    for (plan::Class cls = 1; cls <= Plan::item_classes; ++cls) {
      RC_ASSERT(cache->count(cls) == 0U);
      RC_ASSERT(cache->pop(cls) == 0U);
    }
    RC_ASSERT(cache->push(number % Plan::item_classes + 1, 16));
  }
  void put(std::uint32_t k, std::uint32_t) {
    if (!used_.empty()) {
      Cache* const cache = this->nth(used_, k);
      used_.erase(cache);
      registry_.put(cache);
      this->heap_.memory.failures = {};
    }
  }
  void refuse(std::uint32_t, std::uint32_t) { this->heap_.memory.failures = {.pattern = 1}; }

  Registry registry_;
  std::set<Cache*> used_;
};

template <class Plan>
class Caches : public testing::Test {};
using Plans = testing::Types<Tiny, SmallQuarter, plan::Quarter>;
TYPED_TEST_SUITE(Caches, Plans);

TYPED_TEST(Caches, MagazinesAreStacks) {
  property([] { any_commands(MagazinesModel<TypeParam>()); });
}
TYPED_TEST(Caches, TheRegistryIsASet) {
  property([] { any_commands(RegistryModel<TypeParam>()); });
}

struct Magazines : MagazinesModel<Tiny> {
  Magazines() { command(*this, "push many", 0, 63); }
};

TEST(CachesModelItself, LooksAtEveryMagazine) {
  using M = Magazines;
  expect_said<M>("cache().count(cls) ==", [](M& m) { m.cache().push(2, 16); });
  expect_said<M>("cache().limit(cls)", [](M& m) { m.cache().grow(2); });
  expect_said<M>("std::ranges::equal", [](M& m) { ++*m.cache().pointers(1); });
  expect_said<M>("cache().pop(item_class(number))", [](M& m) {
    m.cache().pop(1);
    command(m, "pop");
  });
  expect_said<M>("cache().push(cls, pointer) == fits", [](M& m) {
    m.cache().grow(1);
    command(m, "push");
  });
  expect_said<M>("cache().grow(cls) == can", [](M& m) {
    while (m.cache().grow(1)) {
    }
    command(m, "grow");
  });
}

struct Caches1 : RegistryModel<Tiny> {
  strata::Registry<Heap> core{heap()};
};

TEST(CachesModelItself, KnowsWhichAreTaken) {
  expect_said<Caches1>("seen == used_", [](Caches1& m) { m.core.take(); });
  expect_said<Caches1>("used_.insert(cache).second", [](Caches1& m) {
    command(m, "take");
    m.core.each([&](auto* cache) { m.core.put(cache); });
    command(m, "take");
  });
}

}  // namespace
}  // namespace strata::check
