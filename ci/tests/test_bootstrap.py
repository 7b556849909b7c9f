"""ci/bootstrap on machines that lack things: dpkg-query, apt-get and sudo are the test's own."""

import pathlib
import unittest

from common import ROOT, directory_for, run, write_program

BOOTSTRAP = str(ROOT / "ci" / "bootstrap")


class Machine:
    """A PATH in front of the real one; `state` lists the packages that are installed."""

    def __init__(self, directory, installed, root):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.state.write_text("".join(f"{name}\n" for name in installed))
        write_program(directory, "dpkg-query", f'sed "s/$/ installed/" "{self.state}"')
        write_program(directory, "id", f"echo {0 if root else 1000}")
        write_program(directory, "sudo", "exit 1")
        write_program(directory, "apt-get", f"""
            echo "apt-get $*" >>"{directory}/calls"
            [[ $1 == install ]] || exit 0
            for word in "${{@:2}}"; do [[ $word == -* ]] || echo "$word" >>"{self.state}"; done""")

    def bootstrap(self, *arguments):
        return run([BOOTSTRAP, *arguments], PATH=f"{self.directory}:/usr/bin:/bin")

    def calls(self):
        calls = self.directory / "calls"
        return calls.read_text() if calls.exists() else ""


class Bootstrap(unittest.TestCase):
    def setUp(self):
        self.directory = directory_for(self)
        self.packages = Machine(self.directory, [], root=False).bootstrap("--list").stdout.split()

    def test_an_empty_machine_lacks_everything(self):
        for package in ("clang-19", "ninja-build", "librapidcheck-dev", "libtcmalloc-minimal4"):
            self.assertIn(package, self.packages)

    def test_each_missing_package_is_found_and_named(self):
        for lost in self.packages:
            rest = [package for package in self.packages if package != lost]
            machine = Machine(self.directory, rest, root=False)
            self.assertEqual(machine.bootstrap("--list").stdout.split(), [lost])
            done = machine.bootstrap()
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"apt-get install --no-install-recommends {lost}\n", done.stdout)
            self.assertEqual(machine.calls(), "")

    def test_a_package_of_another_architecture_counts_by_its_name(self):
        machine = Machine(self.directory, [f"{name}:amd64" for name in self.packages], root=False)
        self.assertEqual(machine.bootstrap().returncode, 0)

    def test_a_removed_package_with_its_settings_left_is_missing(self):
        machine = Machine(self.directory, self.packages, root=False)
        write_program(self.directory, "dpkg-query",
                      f'sed "s/$/ installed/; s/^git installed/git config-files/" "{machine.state}"')
        self.assertEqual(machine.bootstrap("--list").stdout.split(), ["git"])

    def test_with_everything_there_nothing_is_installed(self):
        machine = Machine(self.directory, self.packages, root=True)
        done = machine.bootstrap()
        self.assertEqual(done.returncode, 0)
        self.assertIn("installed", done.stdout)
        self.assertEqual(machine.calls(), "")

    def test_root_installs_what_is_missing_and_only_once(self):
        machine = Machine(self.directory, [p for p in self.packages if p != "git"], root=True)
        self.assertEqual(machine.bootstrap().returncode, 0)
        self.assertRegex(machine.calls(), r"\Aapt-get install .* git\n\Z")
        self.assertEqual(machine.bootstrap().returncode, 0)
        self.assertEqual(machine.calls().count("\n"), 1)

    def test_an_install_that_does_not_help_is_an_error(self):
        machine = Machine(self.directory, self.packages[1:], root=True)
        write_program(self.directory, "apt-get", "exit 0")
        done = machine.bootstrap()
        self.assertEqual(done.returncode, 2)
        self.assertIn(self.packages[0], done.stdout)

    def test_a_failing_install_is_tried_again_after_an_update(self):
        machine = Machine(self.directory, self.packages[1:], root=True)
        write_program(self.directory, "apt-get", f'echo "$1" >>"{self.directory}/calls"; '
                                                 '[[ $1 == update ]]')
        self.assertEqual(machine.bootstrap().returncode, 2)
        self.assertEqual(machine.calls().split(), ["install", "update", "install"])


if __name__ == "__main__":
    unittest.main()
