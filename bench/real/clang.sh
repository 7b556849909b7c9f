# shellcheck shell=bash
# needs: clang++-19
# One C++ file with heavy templates, optimised.
prepare() {
  cp "${BASH_SOURCE[0]%/*}/templates.cpp" work.cpp
}
run() {
  "$@" clang++-19 -std=c++17 -O1 -c work.cpp -o work.o
}
