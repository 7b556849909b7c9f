// Trees of equal nodes, built and dropped: one long-lived, many of rising depth beside it.
#include <memory>

#include "bench/programs/program.hpp"

using namespace strata::bench;

namespace {

struct Node {
  std::unique_ptr<Node> left;
  std::unique_ptr<Node> right;
};

std::unique_ptr<Node> build(unsigned depth) {  // NOLINT(misc-no-recursion): that is the benchmark
  auto node = std::make_unique<Node>();
  if (depth > 0) {
    node->left = build(depth - 1);
    node->right = build(depth - 1);
  }
  return node;
}

unsigned count(const Node& node) {  // NOLINT(misc-no-recursion)
  return 1 + (node.left ? count(*node.left) + count(*node.right) : 0);
}

}  // namespace

int main() {
  constexpr unsigned depth_max = 18;
  const auto kept = build(depth_max);
  unsigned nodes = 0;
  for (unsigned depth = 4; depth <= depth_max; depth += 2) {
    for (unsigned trees = 1U << (depth_max - depth + 3); trees > 0; --trees) {
      nodes += count(*build(depth));
    }
  }
  std::printf("%u\n", nodes + count(*kept));
}
