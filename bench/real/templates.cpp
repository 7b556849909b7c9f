// What clang's and g++'s rows compile: heavy templates.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>
template <int N>
struct Item {
  std::map<std::string, std::vector<Item<N - 1>>> items;
  std::function<int(int)> call;
};
template <>
struct Item<0> {
  std::variant<int, std::string> value;
};
int main(int argc, char** argv) {
  Item<4> item;
  item.items[argv[0]].emplace_back().call = [argc](int x) { return x + argc; };
  std::unordered_map<std::string, std::shared_ptr<Item<3>>> shared;
  shared["a"] = std::make_shared<Item<3>>();
  return static_cast<int>(item.items.size());
}
