"""ci/programs sees a library that changes what a program does."""

import subprocess
import unittest

from common import ROOT, directory_for, run

PROGRAMS = str(ROOT / "ci" / "programs")
ALLOCATOR = "#include <stddef.h>\nvoid* malloc(size_t size) { (void)size; return NULL; }\n"


class Programs(unittest.TestCase):
    def setUp(self):
        self.directory = directory_for(self)

    def build(self, source):
        (self.directory / "library.c").write_text(source)
        library = self.directory / "library.so"
        subprocess.run(["clang-19", "-shared", "-fPIC", "-o", library,
                        self.directory / "library.c"], check=True)
        return str(library)

    def test_a_library_that_changes_nothing_is_the_same(self):
        done = run([PROGRAMS, self.build("int nothing;"), "--only", "lua"])
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("1 the same, 0 different", done.stdout)

    def test_changed_output_is_a_difference(self):
        library = self.build("#include <unistd.h>\n__attribute__((constructor)) void hello(void) "
                             '{ (void)!write(1, "hello\\n", 6); }\n')
        done = run([PROGRAMS, library, "--only", "lua"])
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("+hello", done.stdout)
        self.assertIn("again: ci/programs", done.stdout)

    def test_a_library_that_cannot_be_loaded_is_not_a_pass(self):
        self.assertEqual(run([PROGRAMS, "/etc/passwd", "--only", "lua"]).returncode, 2)
        self.assertEqual(run([PROGRAMS, "/no/such/file", "--only", "lua"]).returncode, 2)

    def test_an_allocator_that_refuses_is_not_a_pass(self):
        done = run([PROGRAMS, self.build(ALLOCATOR), "--only", "lua"])
        self.assertNotEqual(done.returncode, 0, done.stdout)

    def test_no_program_of_that_name_is_not_a_pass(self):
        done = run([PROGRAMS, self.build("int nothing;"), "--only", "nothing"])
        self.assertEqual(done.returncode, 2)
        self.assertIn("sqlite3", done.stdout, "those that there are")


if __name__ == "__main__":
    unittest.main()
