"""The coverage check's reading of what llvm-cov shows, its judgement, and how it ends."""

import unittest
from unittest import mock

import common  # finds ci/lib
import coverage

SHOWN = """
/core/a.hpp:
    1|       |// a comment
    2|  1.20k|  if (big() && a > b) {
  ------------------
  |  Branch (2:7): [Folded - Ignored]
  |  Branch (2:16): [True: 0, False: 0]
  ------------------
  |  Branch (2:7): [Folded - Ignored]
  |  Branch (2:16): [True: 1.10k, False: 0]
  ------------------
  |---> MC/DC Decision Region (2:7) to (2:21)
  |
  |  Number of Conditions: 2
  |     Condition C1 --> (2:7)
  |     Condition C2 --> (2:16)
  |
  |  C1-Pair: constant folded
  |  C2-Pair: not covered
  |  MC/DC Coverage for Decision: 0.00%
  |
  ------------------
    3|      0|    return 2;
    4|      0|  }
/core/b.cpp:
    7|     12|  return a | b;
"""

COVERED = """
/core/a.cpp:
    1|      2|  if (a && b) {
  |---> MC/DC Decision Region (1:7) to (1:13)
  |     Condition C1 --> (1:7)
  |  C1-Pair: covered: (1,2)
"""

MISSES = [("/core/a.hpp", 3, "return 2;"), ("/core/a.hpp", 2, "if (big() && a > b) {")]


class Reading(unittest.TestCase):
    def setUp(self):
        self.sources = coverage.read(SHOWN, {})
        self.a = self.sources["/core/a.hpp"]

    def test_lines_that_can_run_are_counted(self):
        self.assertEqual(self.a.lines, {2: True, 3: False})
        self.assertEqual(self.sources["/core/b.cpp"].lines, {7: True})

    def test_instantiations_count_together_and_constants_do_not(self):
        self.assertEqual(self.a.branches, {((2, 16), True): True, ((2, 16), False): False})
        self.assertEqual(self.a.conditions, {((2, 7), (2, 16)): False})

    def test_the_operator_between_conditions_does_not_matter(self):
        either = coverage.read(SHOWN.replace("&&", "||"), {})["/core/a.hpp"]
        self.assertEqual((either.branches, either.conditions), (self.a.branches, self.a.conditions))

    def test_the_other_way_of_an_assertion_is_not_counted(self):
        shown = SHOWN.replace("if (big() && a > b) {", "assert(big() && a > b);")
        self.assertEqual(coverage.read(shown, {})["/core/a.hpp"].branches, {})

    def test_a_condition_shown_in_one_instantiation_is_shown(self):
        shown = SHOWN.replace("/core/b.cpp", "/core/a.hpp").replace(
            "    7|", SHOWN[SHOWN.index("  |---> MC"):SHOWN.index("    3|")].replace(
                "not covered", "covered: (1,2)") + "    7|")
        self.assertEqual(coverage.read(shown, {})["/core/a.hpp"].conditions, {((2, 7), (2, 16)): True})

    def test_what_another_program_covers_is_covered(self):
        coverage.read("/core/a.hpp:\n    3|     1|    return 2;\n", self.sources)
        self.assertEqual(self.a.lines, {2: True, 3: True})


class Judging(unittest.TestCase):
    def setUp(self):
        self.found = coverage.misses("/core/a.hpp", coverage.read(SHOWN, {})["/core/a.hpp"])

    def test_every_miss_is_named(self):
        self.assertEqual([(m.file, m.line, m.code) for m in self.found], MISSES)

    def test_a_branch_on_a_line_without_a_count_is_named(self):
        source = coverage.read(SHOWN.replace("2|  1.20k|", "2|       |"), {})["/core/a.hpp"]
        self.assertEqual([miss.line for miss in coverage.misses("/core/a.hpp", source)], [3, 2])

    def test_of_a_checker_only_lines_count(self):
        source = coverage.read(SHOWN, {})["/core/a.hpp"]
        self.assertEqual(len(coverage.misses("/core/a.hpp", source, only_lines=True)), 1)

    def judge(self, file, code, reason="because", shown=SHOWN, **more):
        sources = coverage.read(shown, {})
        entry = {"file": file, "code": code, "reason": reason, **more}
        unlisted, stale = coverage.judge(self.found, [entry], sources)
        return [miss.line for miss in unlisted], len(stale)

    def test_an_exception_excuses_its_lines_alone(self):
        self.assertEqual(self.judge("/core/a.hpp", "return 2;"), ([2], 0))
        self.assertEqual(self.judge("/core/a.hpp", "if (big() && a > b) {\n  return 2;"), ([], 0))

    def test_an_exception_that_excuses_nothing_is_stale(self):
        for file, code in (("/core/b.cpp", "return a | b;"), ("/core/b.cpp", "return 2;"),
                           ("/core/c.cpp", "return 2;")):
            self.assertEqual(self.judge(file, code), ([3, 2], 1))

    def test_an_exception_whose_text_is_there_twice_excuses_neither(self):
        twice = SHOWN.replace("4|      0|  }", "4|      0|    return 2;")
        self.assertEqual(self.judge("/core/a.hpp", "return 2;", shown=twice), ([3, 2], 1))

    def test_what_runs_by_luck_may_have_run(self):
        self.assertEqual(self.judge("/core/b.cpp", "return a | b;", by_luck=True)[1], 0)

    def test_an_exception_needs_a_reason(self):
        for luck in (False, True):
            self.assertEqual(self.judge("/core/a.hpp", "return 2;", "", by_luck=luck)[1], 1)

    def test_the_page_marks_what_is_not_covered(self):
        text = coverage.page(coverage.read(SHOWN, {}), self.found)
        self.assertIn('class="no" title="never runs">    3 ', text)
        self.assertIn('class="part"', text)

    def test_nothing_counted_is_not_everything_covered(self):
        self.assertEqual(coverage.percent(coverage.figures([])), 0)


class Ending(unittest.TestCase):
    """ci/coverage on a root of its own, where core is a.cpp."""

    def setUp(self):
        self.root = common.directory_for(self)
        for name in ("core/a.cpp", "props/coverage.toml"):
            (self.root / name).parent.mkdir()
            (self.root / name).touch()

    def exit(self, shown):
        sources = {path[1:]: source for path, source in coverage.read(shown, {}).items()}
        script = common.load("ci/coverage")
        with mock.patch.multiple(script, ROOT=self.root, TOOLS=(), measured=lambda _: sources):
            return common.exit_of(script, "--build", self.root)

    def test_everything_covered_is_0_and_each_lack_is_1(self):
        self.assertEqual(self.exit(COVERED), 0)
        self.assertEqual(self.exit(COVERED.replace("      2|", "      0|")), 1, "a line")
        self.assertEqual(self.exit(COVERED.replace("covered:", "not covered:")), 1, "a condition")

    def test_an_exception_that_excuses_nothing_is_1(self):
        (self.root / "props" / "coverage.toml").write_text(
            "[[exception]]\nfile = 'core/a.cpp'\ncode = 'gone'\nreason = 'because'\n")
        self.assertEqual(self.exit(COVERED), 1)

    def test_a_file_that_no_program_has_is_1(self):
        (self.root / "core" / "b.cpp").touch()
        self.assertEqual(self.exit(COVERED), 1)


if __name__ == "__main__":
    unittest.main()
