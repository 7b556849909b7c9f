// Every state that a heap can reach, breadth first, and every transition out of each.
//
// A state is the bytes of the books, which pages of the heap are committed and which may hold
// something, and what lives, as a 128-bit digest. Transitions: allocate of every size that the plan
// tells apart, at every alignment that it tells apart, deallocate of everything live, purge now and
// delayed; each under every pattern of refusals. The first time a state is met it is checked from
// scratch; and from each the calls of probes.hpp are made.
#pragma once

#include <cstdio>
#include <ctime>
#include <vector>

#include "props/exhaustive/counter_example.hpp"
#include "props/exhaustive/probes.hpp"
#include "props/exhaustive/state_store.hpp"
#include "props/exhaustive/subject.hpp"

namespace strata::check {

struct SearchResult {
  std::uint64_t states = 0;
  std::uint64_t transitions = 0;
  std::uint64_t exhausted = 0;  // transitions in which an allocation found no room
  std::uint64_t probes = 0;     // calls of probes.hpp, bad frees apart
  std::uint64_t bad_frees = 0;
  std::uint32_t operations = 0;  // every sequence of so many has been tried
  bool complete = false;         // and longer ones lead nowhere else
  double seconds = 0;            // of one core
  CounterExample counter_example;
};

// `Memory` is SearchMemory, or one that lies.
template <class Plan, class Memory = SearchMemory<Plan>>
class Search {
  using Subject = check::Subject<Plan, Memory>;

 public:
  explicit Search(const SearchSpace& space) : space_(space), subject_(space) {
    nodes_.push_back({});
    requests_ = requests<Plan>(subject_.heap().heap_bytes, space.bytes_min);
  }

  SearchResult run() {
    return reported([&] { search(); });
  }

  // The operations of a counter-example, one after the other, then all that can follow the last.
  SearchResult replay(const Program& program) {
    return reported([&] {
      Walk<Subject> walk(subject_);
      each_step(program, walk, [&](const Step& step, const std::string& text) {
        std::puts(text.c_str());
        current_ = static_cast<std::uint32_t>(nodes_.size() - 1);
        now_ = step;
        walk.go(step);
        nodes_.push_back({current_, step});
      });
      expand(static_cast<std::uint32_t>(nodes_.size() - 1));
    });
  }

  // The way to where the search is now, shortest first, and what is wrong there.
  CounterExample counter_example(const std::string& what) const {
    PlainMutex::held().clear();  // what the violation left behind
    std::vector<Step> steps;
    for (std::uint32_t node = current_; node != 0; node = nodes_[node].parent) {
      steps.push_back(nodes_[node].step);
    }
    std::ranges::reverse(steps);
    if (now_.move.kind != Kind::validate) {
      steps.push_back(now_);
    }
    const Program program = to_program<Subject>(space_, steps);
    return {to_lines(program) + probes_.what() + what, to_hex(program), steps.size()};
  }

 private:
  struct Node {
    std::uint32_t parent = 0;
    Step step;
  };

  template <class Work>
  SearchResult reported(Work work) {
    const std::clock_t started = std::clock();
    try {
      work();
    } catch (const Violation& violation) {
      result_.complete = false;
      result_.counter_example = counter_example(violation.what());
    }
    const auto& counts = probes_.counts();
    result_.bad_frees = counts.bad_frees;
    result_.probes = counts.attempts + counts.batches + counts.resizes + counts.reliefs;
    result_.states = nodes_.size();
    result_.seconds = static_cast<double>(std::clock() - started) / CLOCKS_PER_SEC;
    return result_;
  }

  void search() {
    seen_.insert(subject_.digest());
    enqueue();
    Words words = scratch_;
    std::uint64_t level_end = 1;  // what the operations tried so far lead to ends here
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
      if (node == space_.states_max) {
        return;
      }
      if (node == level_end) {
        ++result_.operations;
        level_end = nodes_.size();
      }
      queue_.pop(words);
      subject_.start_at(words);
      expand(node);
    }
    result_.complete = true;
  }

  void expand(std::uint32_t node) {
    current_ = node;
    for (const Move& request : requests_) {
      make(request);
    }
    const Units<Plan> live = subject_.start().live;
    live.each([&](std::uint64_t offset, std::uint64_t) {
      make({.kind = Kind::deallocate, .operand = static_cast<std::uint32_t>(offset)});
    });
    make({.kind = Kind::purge});
    make({.kind = Kind::advance});
    now_ = {};
    probes_.run(space_.bytes_min);
    for (const Move& request : requests_) {
      probes_.attempt(request);
    }
    probes_.forget();
  }

  void make(const Move& move) {
    under_every_pattern([&](std::uint32_t refusals) {
      now_ = {move, refusals};
      subject_.back_to_start();
      ++result_.transitions;
      const unsigned calls = subject_.perform(move, refusals);
      result_.exhausted += subject_.found_no_room() ? 1 : 0;
      if (seen_.insert(subject_.digest())) {
        subject_.check_state();
        nodes_.push_back({current_, now_});
        enqueue();
      }
      return calls;
    });
  }

  void enqueue() {
    subject_.copy_to(scratch_);
    queue_.push(scratch_);
  }

  struct Seen {
    const Search& search;
    bool operator()() const { return search.seen_.contains(search.subject_.digest()); }
  };

  const SearchSpace space_;
  Subject subject_;
  std::vector<Move> requests_;
  DigestSet seen_;
  std::vector<Node> nodes_;  // all states, in the order in which they were found
  StateQueue queue_;         // those not expanded yet
  Words scratch_;
  std::uint32_t current_ = 0;
  Step now_;
  Probes<Subject, Seen> probes_{subject_, Seen{*this}};
  SearchResult result_;
};

}  // namespace strata::check
