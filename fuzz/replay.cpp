// Runs a fuzz target without a fuzzer: on every file below the directories that are given, then on
// as many random strings as the first argument says.
//
// Only system calls and arrays, so that MemorySanitizer has nothing to say of a library that it did
// not compile.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::size_t input_bytes_max = 1 << 16;
constexpr std::size_t random_bytes_max = 256;

unsigned long inputs = 0;

// From a copy of just its size, so that a sanitizer sees a byte too far.
void run(const std::uint8_t* bytes, std::size_t size) {
  const std::unique_ptr<std::uint8_t[]> copy(new std::uint8_t[size]);
  if (size > 0) {
    std::memcpy(copy.get(), bytes, size);
  }
  LLVMFuzzerTestOneInput(copy.get(), size);
  ++inputs;
}

[[noreturn]]
void cannot(const char* action, const char* path) {
  std::fprintf(stderr, "replay: cannot %s %s\n", action, path);
  std::exit(2);
}

void run_file(const char* path) {
  static std::uint8_t bytes[input_bytes_max];
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  const ssize_t size = read(file, bytes, sizeof bytes);
  if (size < 0 || size == sizeof bytes) {
    cannot("read all of", path);
  }
  close(file);
  run(bytes, static_cast<std::size_t>(size));
}

void run_below(const char* path) {
  struct stat status{};
  if (stat(path, &status) != 0) {
    cannot("find", path);
  }
  if (!S_ISDIR(status.st_mode)) {
    return run_file(path);
  }
  DIR* const directory = opendir(path);
  if (directory == nullptr) {
    cannot("open", path);
  }
  while (const dirent* const entry = readdir(directory)) {
    if (entry->d_name[0] != '.') {
      char below[4096];
      std::snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
      run_below(below);
    }
  }
  closedir(directory);
}

// splitmix64, always from the same seed.
std::uint64_t random_number() {
  static std::uint64_t state = 0;
  std::uint64_t z = state += 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

void run_random() {
  std::uint8_t bytes[random_bytes_max];
  for (std::uint8_t& byte : bytes) {
    byte = static_cast<std::uint8_t>(random_number());
  }
  run(bytes, random_number() % (sizeof bytes + 1));
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    run_below(argv[i]);
  }
  const unsigned long of_corpus = inputs;
  for (long left = argc > 1 ? std::atol(argv[1]) : 0; left > 0; --left) {
    run_random();
  }
  std::printf("%lu inputs of the corpus, %lu random ones\n", of_corpus, inputs - of_corpus);
  return of_corpus > 0 ? 0 : 2;
}
