"""The commands: a slip of the finger starts nothing, a run ends with what it found, and who ends a
run ends all of it."""

import os
import signal
import subprocess
import sys
import time
import unittest

from common import ROOT, directory_for

# A run of one step, whose report stays out of the way of the real one's.
RUN = """
import pathlib, sys
sys.path.insert(0, "ci/lib")
import main, steps, tables
steps.ROOT = pathlib.Path({directory!r})
tables.CHECK = [steps.Step("name", "what", ("bash", "-c", {step!r}), 60)]
sys.argv = ["main.py", "check"]
sys.exit(main.main())
"""


def start(directory, step):
    program = RUN.format(directory=str(directory), step=step)
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.DEVNULL)


class Commands(unittest.TestCase):
    def test_a_wrong_argument_is_said_at_once(self):
        for command in (["ci/check", "--ful"], ["ci/test", "--nope"], ["ci/style", "--fxi"],
                        ["ci/bootstrap", "--lst"], ["ci/disassembly", "--jso", "x"],
                        ["ci/programs", "x", "--onl", "lua"], ["bench/run", "--rounds", "0"],
                        ["bench/suite", "--quik"]):
            done = subprocess.run([ROOT / command[0], *command[1:]], capture_output=True, text=True,
                                  timeout=60, check=False)
            self.assertEqual(done.returncode, 2, command)
            self.assertIn(command[-1] if command[-1] != "lua" else "--onl", done.stdout + done.stderr)

    def test_the_exit_code_says_what_became_of_the_steps(self):
        for step, code in (("true", 0), ("false", 1), ("exit 127", 2)):
            self.assertEqual(start(directory_for(self), step).wait(timeout=20), code, step)

    def test_what_is_ended_ends_its_step(self):
        directory = directory_for(self)
        file = directory / "pid"
        run = start(directory, f"echo $$ >{file}; sleep 60")
        for _ in range(100):
            if file.exists() and file.read_text():
                break
            time.sleep(0.1)
        step = int(file.read_text())
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=20), 128 + signal.SIGTERM)
        with self.assertRaises(ProcessLookupError):
            os.kill(step, 0)


if __name__ == "__main__":
    unittest.main()
