"""Each folder of core includes only itself and those before it, and nothing but core and the system."""

import re
import sys
import unittest

from common import ROOT

ORDER = ("include", "plan", "binmap", "sync", "book", "memory", "hooks", "heap", "invariants",
         "cache", "abi")


def includes():
    """(file, what it includes in quotes), relative to core."""
    core = ROOT / "core"
    for path in sorted([*core.rglob("*.[ch]pp"), *core.rglob("*.h")]):
        for name in re.findall(r'^#include "([^"]+)"', path.read_text(), re.MULTILINE):
            yield str(path.relative_to(core)), name


class Layers(unittest.TestCase):
    def test_every_folder_has_its_place(self):
        folders = {path.name for path in (ROOT / "core").iterdir() if path.is_dir()}
        self.assertEqual(folders, set(ORDER))

    def test_nothing_is_included_from_above(self):
        found = list(includes())
        self.assertGreater(len(found), 50)
        for file, name in found:
            with self.subTest(file=file, includes=name):
                self.assertTrue((ROOT / "core" / name).exists(), "not of core")
                self.assertLessEqual(ORDER.index(name.split("/")[0]),
                                     ORDER.index(file.split("/")[0]))

    def test_the_readme_says_the_same_order(self):
        text = (ROOT / "README.md").read_text()
        rooms = text[text.index("    core/ "):text.index("    props/ ")]
        named = re.findall(r"\b(\w+)/(?:strata/)?  ", rooms)
        self.assertEqual(tuple(named), ("core", *ORDER))


if __name__ == "__main__":
    sys.exit(unittest.main())
