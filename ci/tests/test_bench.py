"""The benchmarks' ends: figures that moved, and runs that failed, are no success."""

import json
import unittest
from unittest import mock

from common import directory_for, exit_of, load, write_program


class Instructions(unittest.TestCase):
    """Of two traces, each of which takes 100 instructions by the baseline."""

    def exit(self, git, lua, compiler="cc 1"):
        script, measured = load("bench/instructions"), {"git": git, "lua": lua}
        baseline = directory_for(self) / "baseline.json"
        baseline.write_text(json.dumps({"cc 1": {"git": 100, "lua": 100}}))
        with mock.patch.multiple(script, BASELINE=baseline, compiler_of=lambda _: compiler,
                                 measure=lambda _, trace, __: measured[trace.stem]):
            return exit_of(script, "--library", baseline, "--replay", baseline, *measured)

    def test_one_per_cent_either_way_is_the_limit(self):
        for now, code in ((100.9, 0), (99.1, 0), (101.1, 1), (98.9, 1)):
            self.assertEqual(self.exit(100, now), code, now)

    def test_any_row_decides(self):
        self.assertEqual(self.exit(120, 100), 1)

    def test_a_compiler_without_a_baseline_is_not_a_pass(self):
        self.assertEqual(self.exit(100, 100, "cc 2"), 1)


class Runs(unittest.TestCase):
    """What is measured ends well, or badly after it has left good figures."""

    def setUp(self):
        self.directory = directory_for(self)

    def exit(self, script, *arguments):
        allocators = {name: str(self.directory / name) for name in ("strata", "glibc")}
        (self.directory / "strata").touch()
        with mock.patch.multiple(script, warm_up=lambda: None,
                                 find_allocators=lambda *_: (allocators, [])):
            return exit_of(script, "--library", allocators["strata"], *arguments)

    def run_exit(self, malloc, code):
        write_program(self.directory, "binary", f"""
            echo '{{"context": {{"malloc": "'{malloc}'"}},
                    "benchmarks": [{{"name": "row", "items_per_second": 1}}]}}'
            exit {code}""")
        return self.exit(load("bench/run"), "--binary", self.directory / "binary", "--rounds", 1)

    def test_a_failing_run_of_bench_run(self):
        self.assertEqual(self.run_exit("$LD_PRELOAD", 0), 0)
        self.assertEqual(self.run_exit("$LD_PRELOAD", 3), 1)

    def test_a_run_on_another_allocator(self):
        self.assertEqual(self.run_exit("/another", 0), 1)

    def suite_exit(self, code, of="*"):
        figures = dict.fromkeys(("wall_s", "user_s", "system_s", "resident_kib", "faults"), 1)
        write_program(self.directory, "row", "")
        write_program(self.directory, "strata_measure",
                      f"echo '{json.dumps(figures)}' >$1\n"
                      f"case $2 in {of}) exit {code};; esac")
        script = load("bench/suite")
        with mock.patch.multiple(script, OWN=["row"], check_loads=lambda *_: None):
            return self.exit(script, "--short", "--programs", self.directory)

    def test_a_failing_run_of_bench_suite(self):
        self.assertEqual(self.suite_exit(0), 0)
        self.assertEqual(self.suite_exit(3), 1)

    def test_a_peer_that_fails_is_left_out_and_named(self):
        self.assertEqual(self.suite_exit(3, of="*/glibc"), 0)
        self.assertEqual(self.suite_exit(3, of="*/strata"), 1)


if __name__ == "__main__":
    unittest.main()
