// What a thread holds, in words that the compiler follows (clang's -Wthread-safety): one role a
// kind of lock. Functions say which role they need, guards acquire it, and Books hands out each
// kind of record only to whoever has the role. That the right bin of several is locked, and that
// locks are taken in order, is checked elsewhere (sync/ordered.hpp, the scheduler of the checks).
//
//   [[clang::requires_capability(role::Bin::held)]]   the caller holds a bin's lock
//   [[clang::requires_capability(!role::Bin::held)]]  the caller holds none
#pragma once

namespace strata::role {

template <class Role>
struct Held {
  static const Role held;
  constexpr const Role& operator!() const { return held; }  // for the attribute's sake

 private:
  friend Role;
  constexpr Held() = default;
};
template <class Role>
constexpr Role Held<Role>::held{};

struct [[clang::capability("registry lock")]] Registry : Held<Registry> {};
struct [[clang::capability("commit lock")]] Commit : Held<Commit> {};
struct [[clang::capability("purge lock")]] Purge : Held<Purge> {};
struct [[clang::capability("bin lock")]] Bin : Held<Bin> {};
struct [[clang::capability("segments lock")]] Segments : Held<Segments> {};
struct [[clang::capability("lock")]] Any : Held<Any> {};  // outside the heap

// For a scope in which nothing else runs: start, and the child of a fork.
class [[nodiscard, clang::scoped_lockable]] Alone {
 public:
  [[clang::acquire_capability(Registry::held, Commit::held, Purge::held, Bin::held,
                              Segments::held)]]
  Alone() {}  // NOLINT(modernize-use-equals-default): as a trivial variable it would be "unused"
  [[clang::release_capability()]]
  ~Alone() {}  // NOLINT(modernize-use-equals-default): likewise
};

}  // namespace strata::role
