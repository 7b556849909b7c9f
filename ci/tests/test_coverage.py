"""The coverage check's reading of what llvm-cov shows, and its judgement."""

import unittest

import common  # noqa: F401  (finds ci/lib)
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

    def test_of_a_checker_only_lines_count(self):
        source = coverage.read(SHOWN, {})["/core/a.hpp"]
        self.assertEqual(len(coverage.misses("/core/a.hpp", source, only_lines=True)), 1)

    def judge(self, file, code, reason="because"):
        sources = coverage.read(SHOWN, {})
        entry = {"file": file, "code": code, "reason": reason}
        unlisted, stale = coverage.judge(self.found, [entry], sources)
        return [miss.line for miss in unlisted], len(stale)

    def test_an_exception_excuses_its_lines_alone(self):
        self.assertEqual(self.judge("/core/a.hpp", "return 2;"), ([2], 0))
        self.assertEqual(self.judge("/core/a.hpp", "if (big() && a > b) {\n  return 2;"), ([], 0))

    def test_an_exception_that_excuses_nothing_is_stale(self):
        for file, code in (("/core/b.cpp", "return a | b;"), ("/core/b.cpp", "return 2;"),
                           ("/core/c.cpp", "return 2;")):
            self.assertEqual(self.judge(file, code), ([3, 2], 1))

    def test_an_exception_needs_a_reason(self):
        self.assertEqual(self.judge("/core/a.hpp", "return 2;", "")[1], 1)

    def test_the_page_marks_what_is_not_covered(self):
        text = coverage.page(coverage.read(SHOWN, {}), self.found)
        self.assertIn('class="no" title="never runs">    3 ', text)
        self.assertIn('class="part"', text)

    def test_nothing_counted_is_not_everything_covered(self):
        self.assertEqual(coverage.percent(coverage.figures([])), 0)


if __name__ == "__main__":
    unittest.main()
