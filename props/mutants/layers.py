"""The layers of checks that are run against a changed core, and how each is built.

A layer is one or more programs. What includes core is compiled again for a change, or for hundreds of
them at once (schema.py); the rest is built once. Tests that take long, or that a busy machine can fail,
are left out.
"""

import concurrent.futures
import dataclasses
import errno
import os
import pathlib
import resource
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CORE = ROOT / "core"
OUT = ROOT / "build" / "mutants"
HERE = "props/mutants/"
COMPILER = ("clang++-19", "-std=c++20", "-w", "-Wno-invalid-constexpr", "-ferror-limit=0", "-O1",
            "-fno-builtin", "-include", str(ROOT / HERE / "schema.hpp"))
GTEST = ("-lgtest", "-lgtest_main", "-lpthread")


class NotCompiled(Exception):
    def by_assertion(self):
        return "static assertion failed" in str(self)


@dataclasses.dataclass(frozen=True)
class Program:
    name: str
    core: tuple  # sources that include core
    fixed: tuple = ()  # sources that do not
    flags: tuple = ()  # of the first
    fixed_flags: tuple = ()  # of the others
    renamed: str = ""  # a list of symbols as objcopy's: those of core's own sources are renamed
    link: tuple = ()
    run: tuple = ()  # arguments
    limit_s: int = 10  # of processor time

    def objects(self, core, out, only_check=False):
        """(source, command) of each that includes core."""
        for source in self.core:
            path = core.parent / source if source.startswith("core/") else ROOT / source
            target = out / ((source + "".join(self.flags)).replace("/", "_") + ".o")
            what = ("-fsyntax-only",) if only_check else ("-c", "-MMD", "-o", target)
            yield target, (*COMPILER, *self.flags, f"-I{core}", f"-I{ROOT}", *what, path)

    def build(self, core, out):
        """Links the program against the core in the directory `core`. Raises NotCompiled."""
        out.mkdir(parents=True, exist_ok=True)
        objects = []
        for (target, command), source in zip(self.objects(core, out), self.core):
            if not _is_current(target):
                _command(command)
            if self.renamed and not source.startswith("fuzz/"):
                plain, target = target, target.with_suffix(".renamed.o")
                _command(("objcopy", f"--redefine-syms={ROOT / self.renamed}", plain, target))
            objects.append(target)
        fixed = [_fixed(source, self.fixed_flags)
                 for source in (*self.fixed, HERE + "chosen.cpp")]
        _command(("clang++-19", "-fuse-ld=lld", "-o", out / self.name, *self.flags, *objects, *fixed,
                  *self.link, "-lfmt"))
        return out / self.name

    def sees(self, file, core, out):
        """Whether it includes a file of core; it has been built there."""
        return any(f"/core/{file} " in target.with_suffix(".d").read_text().replace("\n", " ") + " "
                   for target, _ in self.objects(core, out))

    def fails(self, binary, arguments=None):
        """How the program fails, or None."""
        command = [binary, *(self.run if arguments is None else arguments)]
        child = self.start(command)
        try:
            output, _ = child.communicate(timeout=6 * self.limit_s)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return "hangs"
        if b"Running 0 tests" in output or b"0 tests ran" in output or output == b"0 inputs\n":
            raise SystemExit(f"{self.name}: nothing is named {command[1:]}")
        return None if child.returncode == 0 else f"exit {child.returncode}"

    def start(self, command):
        # A child of the other thread may still have the binary open for writing, until its exec.
        for _ in range(100):
            try:
                return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        start_new_session=True, preexec_fn=self.limit)
            except OSError as error:
                if error.errno != errno.ETXTBSY:
                    raise
                time.sleep(0.05)
        raise SystemExit(f"{self.name}: {command[0]} stays busy")

    def limit(self):
        resource.setrlimit(resource.RLIMIT_CPU, (self.limit_s, self.limit_s))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _errors(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr or "failed"


def _command(command):
    errors = _errors(command)
    if errors:
        raise NotCompiled(errors)


def _is_current(target):
    """Whether an object is there, and not older than what it was made from."""
    made_from = target.with_suffix(".d")
    if not target.exists() or not made_from.exists():
        return False
    sources = made_from.read_text().replace("\\\n", " ").split()[1:]
    made = target.stat().st_mtime
    return all(os.path.exists(source) and os.stat(source).st_mtime <= made for source in sources)


def _fixed(source, flags=()):
    target = OUT / "fixed" / (source.replace("/", "_") + "".join(flags) + ".o")
    target.parent.mkdir(parents=True, exist_ok=True)
    if not _is_current(target):
        _command((*COMPILER, *flags, f"-I{CORE}", f"-I{ROOT}", "-c", "-MMD", ROOT / source,
                  "-o", target))
    return target


def prebuild(program):
    """What no change touches, once, two at a time."""
    side_by_side(lambda source: _fixed(source, program.fixed_flags), program.fixed)


def side_by_side(function, items):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return list(pool.map(function, items))


def build_all(programs, core, out):
    """All of them, each source once; returns {program: binary}."""
    out.mkdir(parents=True, exist_ok=True)
    commands = dict(pair for program in programs for pair in program.objects(core, out))
    errors = side_by_side(_errors, [c for target, c in commands.items() if not _is_current(target)])
    if any(errors):
        raise NotCompiled("".join(errors))
    return {program: program.build(core, out) for program in programs}


def breaks_lock_roles(core):
    """Whether clang's -Wthread-safety, an error in every build, has a word to say against a core."""
    command = [flag for flag in COMPILER if flag != "-w"]
    return bool(_errors((*command, "-Wno-everything", "-Werror=thread-safety", "-fsyntax-only",
                         f"-I{core}", f"-I{ROOT}", ROOT / HERE / "malloc.cpp")))


def errors_of(program, core):
    """What the compiler has to say against a core, without its making any code."""
    return "".join(side_by_side(
        _errors, [command for _, command in program.objects(core, OUT, only_check=True)]))


def is_same_code(core, out):
    """Whether an optimising compiler makes the same library of it as of core as it is."""
    for source in (HERE + "malloc.cpp", "core/memory/linux.cpp", "core/sync/native.cpp"):
        objects = []
        for each, directory in ((CORE, OUT / "base"), (core, out)):
            directory.mkdir(parents=True, exist_ok=True)
            path = each.parent / source if source.startswith("core/") else ROOT / source
            objects.append(directory / (source.replace("/", "_") + ".optimised.o"))
            if not _is_current(objects[-1]):
                _command((*COMPILER, "-O2", "-DNDEBUG", f"-I{each}", f"-I{ROOT}", "-c", "-MMD", path,
                          "-o", objects[-1]))
        if objects[0].read_bytes() != objects[1].read_bytes():
            return False
    return True


def _gtest(selection="*"):
    return (f"--gtest_filter={selection}", "--gtest_brief=1", "--gtest_fail_fast")


def _fuzz(target, *more, **options):
    return Program(f"fuzz_{target}", (f"fuzz/fuzz_{target}.cpp", *more),
                   (*CHECK, "fuzz/replay.cpp"), run=("0", f"corpus/fuzz_{target}"), **options)


SYSTEM = ("core/memory/linux.cpp", "core/sync/native.cpp")
MALLOC = (HERE + "malloc.cpp", *SYSTEM)
LINKED = (HERE + "malloc_linked.cpp", *SYSTEM)
CHECK = tuple(f"props/support/{name}.cpp" for name in ("arena", "operation", "violation"))
SCHEDULER = tuple(f"props/support/{name}.cpp" for name in (
    "violation", "scheduled_memory", "scheduler", "scheduler_assert", "scheduler_atomics",
    "scheduler_choices", "scheduler_fibre", "scheduler_instrument", "scheduler_locks",
    "scheduler_plain", "scheduler_test"))
# Those that take core to places where no other layer's one thread comes.
SCENARIOS = ("stage", "bad_frees", "commit", "exhaustion", "fork", "purge", "refill", "region_death")

# Cheapest first.
LAYERS = {
    "fuzz": [_fuzz("heap_tiny"), _fuzz("heap_shards"), _fuzz("errors"), _fuzz("binmap"),
             _fuzz("options", "core/abi/options.cpp"), _fuzz("malloc", *MALLOC,
                                                             renamed="fuzz/shipped_symbols.txt"),
             _fuzz("heap_quarter")],
    "unit": [Program("bugs", ("props/unit/bug_classes_heap_test.cpp", *SYSTEM), CHECK, link=GTEST,
                     run=_gtest()),
             Program("economy", ("props/unit/order_test.cpp", "props/unit/caches_test.cpp",
                                 "props/unit/huge_pages_test.cpp", "props/unit/populating_test.cpp",
                                 "props/unit/purging_test.cpp", "props/unit/purging_at_once_test.cpp",
                                 *SYSTEM), CHECK, link=GTEST,
                     run=_gtest()),
             Program("seams", ("props/unit/linux_memory_test.cpp", "props/unit/sync_test.cpp",
                               "props/unit/checking_test.cpp", "props/unit/report_test.cpp",
                               "props/unit/options_test.cpp", "core/abi/report.cpp",
                               "core/abi/options.cpp", *SYSTEM),
                     link=GTEST, run=_gtest()),
             Program("heap", ("props/unit/invariants_test.cpp", "props/unit/heap_test.cpp", *SYSTEM),
                     link=GTEST, run=_gtest()),
             Program("corners", ("props/unit/edges_test.cpp", "props/unit/addresses_test.cpp",
                                 "props/unit/meanwhile_test.cpp", "props/unit/shards_test.cpp",
                                 *SYSTEM), CHECK, link=GTEST,
                     run=_gtest())],
    "malloc": [Program("malloc", MALLOC,
                       tuple(f"props/unit/{name}_test.cpp" for name in (
                           "malloc_edges", "malloc", "new", "bug_classes", "process", "thread_ends")),
                       link=GTEST,
                       run=_gtest("-Fork.*:Threads.AHundred*:Threads.ManyAtOnce:Process.Below*:"
                                  "Purge.SmallItems*")),
               Program("keys", MALLOC, ("props/unit/refused_keys_test.cpp",)),
               Program("archive", LINKED, ("props/unit/new_test.cpp",), link=GTEST, run=_gtest()),
               Program("forms", LINKED, ("props/unit/static_cxx_test.cpp",))],
    "model": [Program("model", ("props/model/heap_model.cpp", "props/model/histories.cpp",
                                "props/support/runners.cpp", *SYSTEM), CHECK,
                      flags=('-DSTRATA_TEST_NAME="heap_model"', "-DSTRATA_PROPERTY_CASES=40"),
                      link=("-lrapidcheck", *GTEST), run=_gtest("HeapModel.*"), limit_s=60),
              Program("parts", (*(f"props/model/{name}.cpp" for name in (
                          "binmap_properties", "segments_model", "regions_model", "chunks_model",
                          "blocks_model", "magazines_model")), *SYSTEM), CHECK,
                      flags=('-DSTRATA_TEST_NAME="parts"', "-DSTRATA_PROPERTY_CASES=100"),
                      link=("-lrapidcheck", *GTEST), run=_gtest(), limit_s=60),
              Program("plan", ("props/model/plan_properties.cpp",), CHECK,
                      flags=('-DSTRATA_TEST_NAME="plan_properties"', "-DSTRATA_PROPERTY_CASES=1000"),
                      link=("-lrapidcheck", *GTEST), run=_gtest())],
    "exhaustive": [Program("exhaustive", ("props/exhaustive/state_search.cpp", *SYSTEM), CHECK,
                           link=GTEST, run=_gtest("StateSearch.ASegment"), limit_s=300)],
    "interleave": [Program("interleave",
                           tuple(f"props/interleave/{name}.cpp" for name in SCENARIOS),
                           ("props/interleave/main.cpp", *SCHEDULER), flags=("-fsanitize=thread",),
                           link=("-fno-sanitize=all", *GTEST),
                           run=("--preemptions=1", *_gtest()), limit_s=60)],
}
# For plants alone: slower than a mutant can afford.
EXTRA = {
    "threads": [Program("threads", MALLOC,
                        ("props/unit/process_test.cpp", "props/unit/thread_ends_test.cpp"),
                        flags=("-DNDEBUG",), link=GTEST, run=_gtest(), limit_s=60)],
    "tsan": [Program("tsan", ("props/unit/stress_test.cpp", *SYSTEM), flags=("-fsanitize=thread",),
                     link=GTEST, run=_gtest("Stress.SmallSpace"), limit_s=120)],
}
