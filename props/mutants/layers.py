"""The layers of checks that are run against a changed core, and how each is built.

A layer is one or more programs. What includes core is compiled for each change, at -O1 and without
sanitizers; the rest is built once. Tests that take long, or that a busy machine can fail, are left out.
"""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
COMPILER = ["clang++-19", "-std=c++20", "-O1", "-w", "-fuse-ld=lld"]
CORE = ("core/memory/linux.cpp", "core/sync/native.cpp")
ABI = tuple(sorted(str(p.relative_to(ROOT)) for p in (ROOT / "core/abi").glob("*.cpp")))
CHECK = tuple(f"props/support/{name}.cpp" for name in ("arena", "operation", "violation"))
SCHEDULER = tuple(f"props/support/{name}.cpp" for name in (
    "violation", "scheduled_memory", "scheduler", "scheduler_assert", "scheduler_atomics",
    "scheduler_choices", "scheduler_fibre", "scheduler_instrument", "scheduler_locks",
    "scheduler_plain",
    "scheduler_test"))
GTEST = ("-lgtest", "-lgtest_main", "-lpthread")


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    changing: tuple  # sources that include core
    fixed: tuple = ()  # sources that do not
    flags: tuple = ()  # of the changing ones
    fixed_flags: tuple = ("-fno-builtin",)
    link: tuple = ()
    run: tuple = ()  # arguments
    environment: tuple = ()
    limit_s: int = 30

    def build(self, core, out):
        """Links the program against the core in the directory `core`. False: it does not compile."""
        out.mkdir(parents=True, exist_ok=True)
        objects = [_object(source, FIXED, self.fixed_flags, ROOT / "core") for source in self.fixed]
        for source in self.changing:
            path = core.parent / source if source.startswith("core/") else ROOT / source
            target = out / (self.name + "." + source.replace("/", "_") + ".o")
            if not _compile(path, target, self.flags, core):
                return None
            objects.append(target)
        binary = out / self.name
        done = subprocess.run([*COMPILER, "-o", binary, *objects, *self.link, "-lfmt"],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0 and core == ROOT / "core":
            print(done.stderr[-2000:])
        return binary if done.returncode == 0 else None

    def fails(self, binary, arguments=None):
        """How the program fails, or None."""
        command = [binary, *(self.run if arguments is None else arguments)]
        child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 env={**os.environ, **dict(self.environment)},
                                 start_new_session=True)
        try:
            output, _ = child.communicate(timeout=self.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return "hangs"
        if b"Running 0 tests" in output or b"0 tests ran" in output:
            raise SystemExit(f"{self.name}: no test is named {command[1:]}")
        return None if child.returncode == 0 else f"exit {child.returncode}"


FIXED = ROOT / "build" / "mutants" / "fixed"


def _object(source, directory, flags, core):
    """Compiled once for each text of the source (headers of the checks: `rm -r build/mutants`)."""
    key = hashlib.sha256((ROOT / source).read_bytes() + repr(flags).encode()).hexdigest()[:16]
    target = directory / f"{source.replace('/', '_')}.{key}.o"
    if not target.exists() and not _compile(ROOT / source, target, flags, core):
        raise SystemExit(f"{source} does not compile")
    return target


def _compile(source, target, flags, core):
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([*COMPILER, *flags, f"-I{core}", f"-I{ROOT}", "-c", source, "-o", target],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0 and core == ROOT / "core":
        print(done.stderr[-2000:])
    return done.returncode == 0


def _gtest(selection):
    return (f"--gtest_filter={selection}", "--gtest_brief=1", "--gtest_fail_fast")


def _fuzz(target, *more):
    return Program(f"fuzz_{target}", (f"fuzz/fuzz_{target}.cpp", *more),
                   (*CHECK, "fuzz/replay.cpp"),
                   run=("0", f"corpus/fuzz_{target}"), limit_s=30)


SCENARIOS = ("Refill.*:RegionDeath.*:Purging.against_free_in_a_sparse_chunk:"
             "Purging.of_chunks_in_a_region_that_dies:Purging.of_blocks_in_a_region_that_dies")

# Cheapest first.
LAYERS = {
    "fuzz": [_fuzz("heap_tiny"), _fuzz("heap_quarter"), _fuzz("binmap"), _fuzz("errors"),
             _fuzz("options", "core/abi/options.cpp")],
    "heap": [Program("heap", ("props/unit/heap_test.cpp", "props/unit/bug_classes_heap_test.cpp",
                              *CORE), CHECK, link=GTEST, run=_gtest("*-Ladder.*:Commit.*"))],
    "malloc": [Program("malloc", (*ABI, *CORE),
                       ("props/unit/malloc_test.cpp", "props/unit/bug_classes_test.cpp",
                        "props/unit/process_test.cpp"),
                       flags=("-fno-builtin",), link=GTEST,
                       run=_gtest("*-Fork.*:Threads.AHundred*:Threads.ManyAtOnce:Process.Below*:"
                                  "Purge.SmallItems*"))],
    "model": [Program("model", ("props/model/heap_model.cpp", *CORE), CHECK,
                      flags=('-DSTRATA_TEST_NAME="heap_model"', "-DSTRATA_PROPERTY_CASES=40"),
                      link=("-lrapidcheck", *GTEST), run=_gtest("HeapModel.*"))],
    "exhaustive": [Program("exhaustive", ("props/exhaustive/state_search.cpp",), CHECK, link=GTEST,
                           run=_gtest("StateSearch.ASegment"), limit_s=300)],
    "interleave": [Program("interleave",
                           tuple(f"props/interleave/{name}.cpp" for name in (
                               "stage", "refill", "region_death", "purge")),
                           ("props/interleave/main.cpp", *SCHEDULER),
                           flags=("-fsanitize=thread",), link=GTEST, run=_gtest(SCENARIOS),
                           limit_s=60)],
}
# For plants alone: slower than a mutant can afford.
EXTRA = {
    "threads": [Program("threads", (*ABI, *CORE), ("props/unit/process_test.cpp",),
                        flags=("-fno-builtin", "-DNDEBUG"), link=GTEST, run=_gtest("*"),
                        limit_s=60)],
    "tsan": [Program("tsan", ("props/unit/stress_test.cpp", *CORE),
                     flags=("-fsanitize=thread",), link=("-fsanitize=thread", *GTEST),
                     run=_gtest("Stress.SmallSpace"), limit_s=120)],
}


def run_layer(programs, core, out):
    """(how it fails or None, seconds, digest of the binaries); None: it does not compile."""
    started, failure, digest = time.monotonic(), None, hashlib.sha256()
    for program in programs:
        binary = program.build(core, out)
        if binary is None:
            return None
        digest.update(binary.read_bytes())
        failure = program.fails(binary)
        if failure:
            break
    return failure, time.monotonic() - started, digest.hexdigest()


def prebuild(programs):
    """What no change touches, once, two at a time."""
    sources = dict.fromkeys((source, program.fixed_flags)
                            for program in programs for source in program.fixed)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: _object(one[0], FIXED, one[1], ROOT / "core"), sources))
