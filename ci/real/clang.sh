# shellcheck shell=bash
clang++-19 -std=c++20 -O1 -g0 -Wall -S -o threads.s "$SCRIPTS/threads.cpp"
sha256sum threads.s
clang++-19 -pthread -o threads threads.s
./threads
