"""What ci/test and ci/check run: one step a line, each with its time limit in seconds."""

from steps import Step, workflow

SELF = Step("ci", "the checks of ci itself", ("/usr/bin/python3", "-m", "unittest", "discover",
                                              "-s", "ci/tests"), 60)

TEST_LIMIT_S = 590
TEST = [
    SELF,
    workflow("release", "shipped libraries: tests, disassembly, real programs", 280),
    workflow("dev", "unit and malloc tests with assertions", 200),
    workflow("props", "every property", 200),
    workflow("exhaustive", "every state of a tiny plan", 200),
    workflow("interleave", "interleavings of every scenario", 200),
    workflow("fuzz", "every fuzz target, for a short time", 200, STRATA_FUZZ_SECONDS="5"),
    workflow("tsan", "stress under TSan", 200),
]



def checked_programs(limit_s, options):
    return Step("programs-checked", "real programs on libstrata-checked.so",
                ("ci/programs", "build/release/libstrata-checked.so",
                 "--json", "build/release/programs-checked.json"), limit_s,
                environment={"STRATA_OPTIONS": options})



CHECK_LIMIT_S = 900
CHECK = [
    SELF,
    workflow("release", "shipped libraries: tests, disassembly, real programs", 300),
    checked_programs(240, "check:100"),
    workflow("props", "every property", 240),
    workflow("exhaustive", "every state of a tiny plan", 240),
    workflow("interleave", "interleavings of every scenario", 240),
    workflow("fuzz", "every fuzz target", 300, STRATA_FUZZ_SECONDS="20"),
    workflow("bench", "benchmarks beside other allocators", 240),
]

FULL_LIMIT_S = 4 * 3600
FULL = [
    SELF,
    Step("style", "clang-format and clang-tidy", ("ci/style",), 1800),
    workflow("release", "shipped libraries: tests, disassembly, real programs", 900),
    workflow("release-gcc", "the same by gcc 12", 900),
    workflow("dev", "unit and malloc tests with assertions", 900),
    workflow("asan-ubsan", "unit tests and properties under ASan and UBSan", 1800),
    workflow("tsan", "stress under TSan", 1800),
    checked_programs(1800, "check:5"),
    workflow("props", "every property", 1800),
    workflow("exhaustive", "every state of a tiny plan", 3600),
    workflow("interleave", "interleavings of every scenario", 3600),
    workflow("fuzz", "every fuzz target", 7200, STRATA_FUZZ_SECONDS="600"),
    workflow("bench", "benchmarks beside other allocators", 1800, STRATA_BENCH_ROUNDS="9"),
]
