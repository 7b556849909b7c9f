# shellcheck shell=bash
# needs: g++
# One C++ file with heavy templates, optimised.
prepare() {
  cp "${BASH_SOURCE[0]%/*}/templates.cpp" work.cpp
}
run() {
  "$@" g++ -std=c++17 -O1 -c work.cpp -o work.o
}
