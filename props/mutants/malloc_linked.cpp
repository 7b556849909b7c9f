// malloc as the archive has it, as one source.
#include "abi/cxx_library_linked.cpp"
#include "abi/malloc.cpp"
#include "abi/operators_linked.cpp"
#include "abi/options.cpp"
#include "abi/process.cpp"
#include "abi/report.cpp"
