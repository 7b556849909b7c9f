"""What ci/test and ci/check run: one step a line, each with its time limit in seconds."""

from steps import Step, workflow


def checked_programs(limit_s, options):
    return Step("programs-checked", "real programs on libstrata-checked.so",
                ("ci/programs", "build/release/libstrata-checked.so",
                 "--json", "build/release/programs-checked.json"), limit_s,
                environment={"STRATA_OPTIONS": options})


SELF = Step("ci", "the checks of ci itself",
            ("/usr/bin/python3", "-B", "-m", "unittest", "discover", "-s", "ci/tests"), 240)

TEST_LIMIT_S = 1620  # it takes 700 alone on two cores, more than twice that beside other work
TEST = [
    SELF,
    workflow("release", "shipped libraries: tests, disassembly, real programs", 600),
    workflow("dev", "unit and malloc tests with assertions", 600),
    workflow("props", "every property", 600),
    workflow("exhaustive-quick", "every state of tiny plans, a slice", 600),
    workflow("interleave", "interleavings of every scenario", 600),
    workflow("fuzz", "every fuzz target, for a short time", 600, STRATA_FUZZ_SECONDS="3"),
    workflow("tsan", "stress under TSan", 600),
    # One seed and no limit of time: what it finds depends on the sources alone. (81 % when it was
    # written; any change of core draws others.)
    workflow("mutants-sample", "a fixed sample of changes of core", 600,
             STRATA_MUTANTS="--seed 1 --count 60 --at-once --layers fuzz unit --expect 65 --exact"),
]

CHECK_LIMIT_S = 1800  # it takes 900 alone on two cores; how fast these are differs by day
CHECK = [
    SELF,
    workflow("release-quick", "shipped libraries: tests, disassembly, real programs", 480),
    checked_programs(300, "check:100"),
    workflow("props", "every property", 480),
    workflow("exhaustive-quick", "every state of tiny plans, a slice", 480),
    workflow("interleave", "interleavings of every scenario", 480),
    workflow("prove-quick", "proofs about plan, chunks and items, by Z3 and cvc5", 480),
    workflow("fuzz", "every fuzz target", 480, STRATA_FUZZ_SECONDS="12"),
    # Any seed will do. These two layers notice eight or nine of ten; the others are for --full.
    workflow("mutants-sample", "a sample of random changes of core", 300,
             STRATA_MUTANTS="--seconds 30 --count 80 --at-once --layers fuzz unit --expect 80"),
    workflow("bench", "benchmarks beside other allocators, instructions of the traces", 480,
             STRATA_BENCH_SHORT="1", STRATA_BENCH_ROUNDS="1"),
]

FULL_LIMIT_S = 4 * 3600
FULL = [
    SELF,
    Step("style", "clang-format and clang-tidy", ("ci/style",), 3600),
    workflow("release", "shipped libraries: tests, disassembly, real programs", 900),
    workflow("release-gcc", "the same by gcc 12", 900),
    workflow("dev", "unit and malloc tests with assertions", 900),
    workflow("asan-ubsan", "unit tests and properties under ASan and UBSan", 1800),
    workflow("tsan", "stress under TSan", 1800),
    workflow("msan", "operation replay and the stress under MSan", 1800),
    workflow("coverage", "what the tests cover of core, and what they do not", 1800),
    checked_programs(1800, "check:5"),
    workflow("props", "every property", 1800),
    workflow("exhaustive-full", "every state of tiny plans", 3600),
    workflow("interleave", "interleavings of every scenario", 3600),
    workflow("prove", "proofs about the source, by Z3 and cvc5", 3600),
    workflow("fuzz", "every fuzz target", 7200, STRATA_FUZZ_SECONDS="600"),
    workflow("fuzz-afl", "every fuzz target under AFL++", 3600, STRATA_FUZZ_SECONDS="60"),
    Step("oss-fuzz", "the build of OSS-Fuzz, and its targets on their seeds", ("ci/oss-fuzz/try",),
         1800),
    workflow("mutants", "planted bugs, and 250 random changes of core", 2 * 3600,
             STRATA_MUTANTS="--count 250"),
    workflow("bench", "benchmarks beside other allocators, instructions of the traces", 7200,
             STRATA_BENCH_ROUNDS="9"),
]
