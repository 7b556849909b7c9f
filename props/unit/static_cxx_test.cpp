// libstrata.a in a program whose C++ library is an archive too, and which has an operator new and
// an operator delete of its own, whose objects the heap does not know: every form that the standard
// defines by these has to come to them. So has a function by a name of malloc's family that ISO C
// leaves to the program. Linked with -static-libstdc++ -static-libgcc; nothing here
// but operator new itself asks for what throws, so that nothing else brings it into the program.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <new>

namespace {

constexpr uint64_t of_this_program = 0x5354524154410a0d;

// Before each object of the program's own operator new. The object is not where malloc said.
struct alignas(16) Header {
  uint64_t tag;
};

constexpr std::nothrow_t nothrow{};  // std::nothrow is in the library
constexpr std::align_val_t align{256};

int own_news = 0;
int own_deletes = 0;
int calls_of_handler = 0;

void leave() {
  ++calls_of_handler;
  std::set_new_handler(nullptr);
}

bool throws_bad_alloc(size_t size) {
  try {
    ::operator delete[](::operator new[](size, align), align);
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

using New = void*();
using Delete = void(void*);
constexpr New* news[] = {
    [] { return ::operator new(100); },
    [] { return ::operator new[](100); },
    [] { return ::operator new(100, nothrow); },
    [] { return ::operator new[](100, nothrow); },
};
constexpr Delete* deletes[] = {
    [](void* p) { ::operator delete(p); },
    [](void* p) { ::operator delete[](p); },
    [](void* p) { ::operator delete(p, 100); },
    [](void* p) { ::operator delete[](p, 100); },
    [](void* p) { ::operator delete(p, nothrow); },
    [](void* p) { ::operator delete[](p, nothrow); },
};
constexpr New* aligned_news[] = {
    [] { return ::operator new(100, align); },
    [] { return ::operator new[](100, align); },
    [] { return ::operator new(100, align, nothrow); },
    [] { return ::operator new[](100, align, nothrow); },
};
constexpr Delete* aligned_deletes[] = {
    [](void* p) { ::operator delete(p, align); },
    [](void* p) { ::operator delete[](p, align); },
    [](void* p) { ::operator delete(p, 100, align); },
    [](void* p) { ::operator delete[](p, 100, align); },
    [](void* p) { ::operator delete(p, align, nothrow); },
    [](void* p) { ::operator delete[](p, align, nothrow); },
};

// An object of each form of new to each form of delete.
template <size_t N, size_t D>
void use_all(New* const (&take)[N], Delete* const (&put)[D]) {
  for (New* const one : take) {
    for (Delete* const other : put) {
      other(one());
    }
  }
}

bool every_form_comes_here() {
  use_all(news, deletes);
  return own_news == 24 && own_deletes == 24;
}

// Of the aligned forms the program has none: they are all the library's.
bool aligned_forms_work() {
  const int before = own_news;
  use_all(aligned_news, aligned_deletes);
  const void* const one = ::operator new(SIZE_MAX / 2, align, nothrow);
  const void* const many = ::operator new[](SIZE_MAX / 2, align, nothrow);
  return own_news == before && own_deletes == before && one == nullptr && many == nullptr;
}

int own_cfrees = 0;

}  // namespace

extern "C" void cfree(void*) { ++own_cfrees; }

void* operator new(size_t size) {
  auto* const header = static_cast<Header*>(malloc(sizeof(Header) + size));
  if (header == nullptr) {
    abort();
  }
  header->tag = of_this_program;
  ++own_news;
  return header + 1;
}
void operator delete(void* object) noexcept {
  Header* const header = static_cast<Header*>(object) - 1;
  if (header->tag != of_this_program) {
    printf("an object of another operator new\n");
    abort();
  }
  header->tag = 0;
  ++own_deletes;
  free(header);
}

int main() {
  const bool is_own = every_form_comes_here();
  const bool is_aligned = aligned_forms_work();
  const bool is_thrown = throws_bad_alloc(SIZE_MAX / 2);
  std::set_new_handler(leave);
  const bool is_thrown_after = throws_bad_alloc(SIZE_MAX / 2) && calls_of_handler == 1;
  const bool is_served = !throws_bad_alloc(100);
  cfree(nullptr);
  const auto word = [](bool good) { return good ? "good" : "bad"; };
  printf(
      "own forms: %s; aligned forms: %s; bad_alloc: %s, after the new_handler: %s; new[]: %s; "
      "own names: %s\n",
      word(is_own), word(is_aligned), word(is_thrown), word(is_thrown_after), word(is_served),
      word(own_cfrees == 1));
  return is_own && is_aligned && is_thrown && is_thrown_after && is_served && own_cfrees == 1 ? 0
                                                                                              : 1;
}
