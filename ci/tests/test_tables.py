"""The tables: no check drops out of them, and none asks for next to nothing."""

import json
import os
import unittest
from unittest import mock

from common import ROOT, load
import tables

# Parts of a preset that FULL has; fuzz-minimize checks nothing, it rewrites the corpus.
NOT_IN_FULL = {"release-quick", "exhaustive-quick", "exhaustive", "prove-quick", "mutants-sample",
               "fuzz-minimize"}
ALWAYS = {"ci", "props", "exhaustive-quick", "interleave", "fuzz", "mutants-sample"}


def names(table):
    return {step.name for step in table}


class Tables(unittest.TestCase):
    def test_full_runs_every_preset(self):
        presets = json.loads((ROOT / "CMakePresets.json").read_text())["workflowPresets"]
        self.assertEqual({each["name"] for each in presets} - names(tables.FULL), NOT_IN_FULL)

    def test_the_steps_beside_the_presets(self):
        self.assertLessEqual({"ci", "style", "programs-checked", "oss-fuzz"}, names(tables.FULL))

    def test_the_steps_of_the_shorter_runs(self):
        self.assertEqual(names(tables.TEST), ALWAYS | {"release", "dev", "tsan"})
        self.assertEqual(names(tables.CHECK), ALWAYS | {"release-quick", "programs-checked",
                                                        "prove-quick", "bench"})

    def test_most_of_many_changes_must_be_noticed(self):
        mutants = load("props/mutants/mutants")
        for step in [*tables.TEST, *tables.CHECK, *tables.FULL]:
            if step.preset.startswith("mutants"):
                with mock.patch.dict(os.environ, step.environment):
                    options = mutants.parse(["run", "--from-environment"])
                self.assertGreaterEqual(options.expect, 60)
                self.assertGreaterEqual(options.count, 60)


if __name__ == "__main__":
    unittest.main()
