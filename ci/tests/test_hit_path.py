"""The disassembly check's reading of a listing, and how it ends."""

import unittest
from unittest import mock

import common  # finds ci/lib
import hit_path

HIT = """
0000000000001000 <malloc>:
    1000:	mov    %rdi,%rax
    1003:	test   %rax,%rax
    1006:	je     1020 <malloc+0x20>
    1008:	pop    %rbx
    1009:	ret
    1020:	jmp    2000 <slow>
"""


class Following(unittest.TestCase):
    def follow(self, listing):
        return hit_path.follow(hit_path.parse(listing))

    def test_counts_along_the_fall_through(self):
        path = self.follow(HIT)
        self.assertEqual((path.instructions, path.branches, path.calls), (5, 1, 0))
        self.assertTrue(path.within(5, 1))
        self.assertFalse(path.within(4, 1))
        self.assertFalse(path.within(5, 0))

    def test_a_call_breaks_any_limit(self):
        path = self.follow(HIT.replace("pop    %rbx", "call   3000 <hook>"))
        self.assertFalse(path.within(100, 100))

    def test_a_jump_out_of_the_function_breaks_any_limit(self):
        self.assertFalse(self.follow(HIT.replace("ret", "jmp 2000 <slow>")).within(100, 100))

    def test_a_jump_inside_is_followed(self):
        path = self.follow(HIT.replace("pop    %rbx", "jmp    1009 <malloc+9>"))
        self.assertEqual((path.instructions, path.calls), (5, 0))

    def test_prefixes_are_not_the_instruction(self):
        path = self.follow(HIT.replace("ret", "repz ret"))
        self.assertEqual(path.instructions, 5)

    def test_a_loop_or_a_missing_end_is_an_error(self):
        for listing in (HIT.replace("pop    %rbx", "jmp    1000 <malloc>"),
                        HIT.replace("ret", "nop").replace("jmp    2000 <slow>", "nop")):
            with self.assertRaises(hit_path.Unreadable):
                self.follow(listing)

    def test_a_missing_symbol_is_an_error(self):
        with self.assertRaises(hit_path.Unreadable):
            hit_path.hit_path("/bin/true", "no_such_function")


class Ending(unittest.TestCase):
    KEEPS, BREAKS = hit_path.HitPath(5, 1), hit_path.HitPath(6, 1)

    def exit(self, asked, malloc, free):
        script = common.load("ci/disassembly")
        rows = [("pair", "library", "", {"malloc": (5, 1), "free": (5, 1)}, asked)]
        build = common.directory_for(self)
        (build / "library").touch()
        with (mock.patch.object(script, "ROWS", rows),
              mock.patch.object(hit_path, "hit_path", side_effect=[malloc, free])):
            return common.exit_of(script, "--build", build)

    def test_every_path_must_do_what_is_asked_of_it(self):
        self.assertEqual(self.exit("keep", self.KEEPS, self.KEEPS), 0)
        self.assertEqual(self.exit("keep", self.BREAKS, self.KEEPS), 1)
        self.assertEqual(self.exit("break", self.BREAKS, self.BREAKS), 0)
        self.assertEqual(self.exit("break", self.KEEPS, self.BREAKS), 1)

    def test_a_path_that_cannot_be_followed_is_not_a_pass(self):
        self.assertEqual(self.exit("keep", hit_path.Unreadable(), self.KEEPS), 1)


if __name__ == "__main__":
    unittest.main()
