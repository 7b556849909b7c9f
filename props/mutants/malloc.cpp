// malloc as it ships, as one source.
#include "abi/malloc.cpp"

#include "abi/cxx_library.cpp"
#include "abi/operators.cpp"
#include "abi/options.cpp"
#include "abi/process.cpp"
#include "abi/report.cpp"
