#include "props/support/scheduler_test.hpp"

int main(int argc, char** argv) { return strata::check::run_scenarios(argc, argv); }
