// libstrata.a in a program whose C++ library is an archive too, and which has some forms of
// operator new and delete of its own. Linked with -static-libstdc++ -static-libgcc; nothing here
// but operator new itself asks for what throws, so that nothing else brings it into the program.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <new>

namespace {

int calls_of_handler = 0;
int own_deletes = 0;

void leave() {
  ++calls_of_handler;
  std::set_new_handler(nullptr);
}

bool throws_bad_alloc(size_t size) {
  try {
    ::operator delete[](::operator new[](size));
  } catch (const std::bad_alloc&) {
    return true;
  }
  return false;
}

}  // namespace

// These three alone: the other forms are the library's.
void* operator new(size_t size) { return malloc(size); }
void operator delete(void* pointer) noexcept {
  ++own_deletes;
  free(pointer);
}
void operator delete(void* pointer, size_t) noexcept { ::operator delete(pointer); }

int main() {
  ::operator delete(::operator new(100));
  const bool is_own = own_deletes == 1;
  const bool is_thrown = throws_bad_alloc(SIZE_MAX / 2);
  std::set_new_handler(leave);
  const bool is_thrown_after = throws_bad_alloc(SIZE_MAX / 2) && calls_of_handler == 1;
  const bool is_served = !throws_bad_alloc(100);
  const auto word = [](bool good) { return good ? "good" : "bad"; };
  printf("a delete of its own: %s; bad_alloc: %s, after the new_handler: %s; new[]: %s\n",
         word(is_own), word(is_thrown), word(is_thrown_after), word(is_served));
  return is_own && is_thrown && is_thrown_after && is_served ? 0 : 1;
}
