"""What the proofs' planted changes come to: a proof that holds where it must break is an error."""

import unittest
from unittest import mock

from common import directory_for, exit_of, load, write_program

script = load("props/proofs/source_mutations.py")


class SourceMutations(unittest.TestCase):
    def setUp(self):
        self.directory = directory_for(self)

    def exit(self, *held):
        """`held`: with a change that must break the proofs, and with one that must not."""
        changes = [next(change for change in script.CHANGES if change[-1] == breaks)
                   for breaks in (True, False)]
        with (mock.patch.object(script, "CHANGES", changes),
              mock.patch.object(script, "holds", side_effect=held)):
            return exit_of(script, "prove", self.directory / "work", "compiler")

    def test_each_change_must_do_what_is_said_of_it(self):
        self.assertEqual(self.exit(False, True), 0)
        self.assertEqual(self.exit(True, True), 1)
        self.assertEqual(self.exit(False, False), 1)

    def holds(self, said, code):
        write_program(self.directory, "prove", f"echo '{said}'; exit {code}")
        return script.holds(self.directory / "prove", self.directory, ["true"], "heap", "room",
                            "name")

    def test_a_proof_holds_or_has_a_counter_example(self):
        self.assertTrue(self.holds("proved", 0))
        self.assertFalse(self.holds("broken: name", 1))

    def test_neither_a_proof_nor_a_counter_example_is_an_error(self):
        for said in ("", "broken: name; undecided: name"):
            with self.assertRaises(SystemExit):
                self.holds(said, 1)


if __name__ == "__main__":
    unittest.main()
