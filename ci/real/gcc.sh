# shellcheck shell=bash
g++ -std=c++20 -O1 -Wall -S -o threads.s "$SCRIPTS/threads.cpp"
sha256sum threads.s
g++ -pthread -o threads threads.s
./threads
