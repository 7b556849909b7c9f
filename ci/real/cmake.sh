# shellcheck shell=bash
cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(work LANGUAGES CXX)
find_package(Threads REQUIRED)
add_executable(threads $ENV{SCRIPTS}/threads.cpp)
target_compile_features(threads PRIVATE cxx_std_20)
target_link_libraries(threads PRIVATE Threads::Threads)
CMAKE
cmake -G Ninja -S . -B build -D CMAKE_CXX_COMPILER=clang++-19 | sed 's/([0-9.]*s)//'
ninja -C build -j 1 --quiet
build/threads
