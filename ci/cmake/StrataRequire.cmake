# A missing tool or library is an error at configure time that says how to get it.

function(strata_missing what package)
  message(FATAL_ERROR "strata: ${what} is missing. It is in Debian's package '${package}'; "
                      "`ci/bootstrap` installs everything that strata needs.")
endfunction()

# strata_require_program(<variable> <program> <package>)
function(strata_require_program variable program package)
  find_program(${variable} NAMES "${program}" NO_CACHE)
  if(NOT ${variable})
    strata_missing("the program ${program}" "${package}")
  endif()
  set(${variable} "${${variable}}" PARENT_SCOPE)
endfunction()

# strata_require_package(<CMake package> <Debian package>): find_package with a helpful error.
# A macro, so that what find_package defines is defined for the caller.
macro(strata_require_package name package)
  find_package(${name} CONFIG QUIET)
  if(NOT ${name}_FOUND)
    strata_missing("the library ${name}" "${package}")
  endif()
endmacro()

# The compiler and ninja, asked for by a preset. With another compiler there is nothing to say.
function(strata_require_toolchain)
  set(packages clang++-19 clang-19 g++-12 g++ afl-clang-fast++ afl++)
  if(CMAKE_CXX_COMPILER IN_LIST packages)
    list(FIND packages "${CMAKE_CXX_COMPILER}" at)
    math(EXPR at "${at} + 1")
    list(GET packages ${at} package)
    strata_require_program(compiler "${CMAKE_CXX_COMPILER}" "${package}")
  endif()
  if(CMAKE_GENERATOR STREQUAL "Ninja" AND NOT CMAKE_MAKE_PROGRAM)
    strata_require_program(ninja ninja ninja-build)
  endif()
endfunction()
