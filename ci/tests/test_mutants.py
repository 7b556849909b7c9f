"""What the mutants count as noticed, and when props/mutants/mutants is red."""

import contextlib
import io
import tomllib
import unittest
from unittest import mock

from common import ROOT, exit_of, load

mutants = load("props/mutants/mutants")
layers = mutants.layers

MUTANT = mutants.mutate.Mutant("a.hpp", 1, 1, "a + b;", "a - b;")
PLANT = tomllib.loads((ROOT / "props" / "mutants" / "plants.toml").read_text())["plant"][0]
BROKEN = layers.NotCompiled("error: expected ';'")


class Changes(unittest.TestCase):
    def examine(self, errors):
        core = mock.Mock(numbers={MUTANT: 1}, binary=mock.Mock(side_effect=errors))
        return mutants.examine(MUTANT, core, {"fuzz": [mock.Mock()]}, False, {})

    def test_what_is_not_cxx_is_not_noticed(self):
        outcome = self.examine(BROKEN)
        self.assertEqual((outcome.noticed(), outcome.why_not), (False, "not C++"))

    def test_what_an_assertion_does_not_compile_is_noticed(self):
        self.assertTrue(self.examine(layers.NotCompiled("static assertion failed")).noticed())


class Report(unittest.TestCase):
    def exit(self, noticed, *options):
        """Of a hundred changes so many are noticed, and 95 expected to be."""
        outcomes = [mutants.Outcome(MUTANT, {"fuzz": ("exit 1" if number < noticed else None, 0.1)})
                    for number in range(100)]
        with contextlib.redirect_stdout(io.StringIO()):
            return mutants.report(outcomes, {}, 1, mutants.parse(["run", *options]))

    def test_a_random_sample_may_have_bad_luck_but_not_any(self):
        self.assertEqual([self.exit(noticed) for noticed in (95, 90, 80)], [0, 0, 1])

    def test_a_fixed_sample_has_none(self):
        self.assertEqual([self.exit(noticed, "--exact") for noticed in (95, 94)], [0, 1])


class Plants(unittest.TestCase):
    def exit(self, *fails, build=None):
        """`fails`: how the test fails on core as it is, and then with the plant."""
        program = mock.Mock()
        program.name = PLANT["program"]
        program.build.side_effect = build
        program.fails.side_effect = fails
        with mock.patch.multiple(layers, LAYERS={"unit": [program]}, EXTRA={},
                                 build_all=lambda *_: {program: None}):
            return exit_of(mutants, "plants", PLANT["name"])

    def test_a_plant_is_found_if_its_test_fails_on_it_and_only_then(self):
        self.assertEqual(self.exit(None, "exit 1"), 0)
        self.assertEqual(self.exit(None, None), 1)
        self.assertEqual(self.exit("exit 1", "exit 1"), 1)

    def test_a_plant_that_does_not_compile_is_not_found(self):
        self.assertEqual(self.exit(None, build=BROKEN), 1)


if __name__ == "__main__":
    unittest.main()
