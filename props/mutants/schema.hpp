// Read before every source of a program of many changes: see schema.py.
#pragma once

extern "C" volatile long strata_mutant[2];
