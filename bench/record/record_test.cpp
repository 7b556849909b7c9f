// strata_record_test LIBRARY: does known things under the recorder in a child process that ends
// without running destructors, and reads them back.
#include <fmt/format.h>
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "props/support/trace.hpp"

namespace {

using namespace strata::check;

// Sizes by which to know our own requests again.
constexpr std::size_t first_bytes = 70'001;
constexpr std::size_t grown_bytes = 140'003;
constexpr std::size_t zeroed_bytes = 7 * 12'859;
constexpr std::size_t aligned_bytes = 50'021;
constexpr std::size_t of_child_bytes = 60'013;

[[noreturn]]
void act() {
  void* const object = std::realloc(std::malloc(first_bytes), grown_bytes);
  void* const zeroed = std::calloc(7, zeroed_bytes / 7);
  std::jthread([&] { std::free(zeroed); }).join();
  void* const aligned = std::aligned_alloc(256, aligned_bytes);
  const bool is_usable = malloc_usable_size(aligned) >= aligned_bytes;
  if (fork() == 0) {  // not recorded
    std::free(std::malloc(of_child_bytes));
    _exit(0);
  }
  wait(nullptr);
  std::free(object);
  _exit(is_usable ? 0 : 1);
}

std::vector<TraceOperation> read_only_file_of(const std::filesystem::path& directory) {
  std::vector<TraceOperation> operations;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), {}};
    TraceReader reader(bytes);
    for (TraceOperation op; reader.next(op);) {
      operations.push_back(op);
    }
  }
  return operations;
}

// What was asked for with these sizes, and what ended it.
std::string story(const std::vector<TraceOperation>& operations) {
  std::string text;
  std::vector<std::uint64_t> objects;
  for (const TraceOperation& op : operations) {
    const bool is_ours = op.size == first_bytes || op.size == grown_bytes ||
                         op.size == zeroed_bytes || op.size == aligned_bytes ||
                         op.size == of_child_bytes;
    const auto which = std::ranges::find(objects, op.old) - objects.begin();
    const bool ends_ours = op.ends() && which < std::ssize(objects);
    if (op.makes() && is_ours) {
      objects.push_back(op.object);
      text += fmt::format("{}.{}:{}^{} ", static_cast<int>(op.kind), op.thread, op.size,
                          op.align_shift);
    }
    if (ends_ours) {
      text += fmt::format("t{} ends {} ", op.thread, which);
    }
  }
  return text;
}

int run_child(const char* self, const char* library, const std::filesystem::path& directory) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("LD_PRELOAD", library, 1);
    setenv("STRATA_RECORD", (directory / "trace").c_str(), 1);
    execl(self, self, "act", nullptr);
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "act") {
    act();
  }
  if (argc != 2) {
    fmt::print(stderr, "usage: strata_record_test LIBRARY\n");
    return 2;
  }
  std::string pattern = std::filesystem::temp_directory_path() / "strata-record-XXXXXX";
  const std::filesystem::path directory = mkdtemp(pattern.data());
  const int status = run_child(argv[0], argv[1], directory);
  const std::string seen = story(read_only_file_of(directory));
  std::filesystem::remove_all(directory);
  const std::string expected =
      fmt::format("{0}.0:{4}^0 {1}.0:{5}^0 t0 ends 0 {2}.0:{6}^0 t1 ends 2 {3}.0:{7}^8 t0 ends 1 ",
                  static_cast<int>(Kind::allocate), static_cast<int>(Kind::resize),
                  static_cast<int>(Kind::allocate_known), static_cast<int>(Kind::allocate_aligned),
                  first_bytes, grown_bytes, zeroed_bytes, aligned_bytes);
  if (status != 0 || seen != expected) {
    fmt::print("status {}\nseen:     {}\nexpected: {}\n", status, seen, expected);
    return 1;
  }
}
