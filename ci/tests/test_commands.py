"""The commands: a slip of the finger starts nothing, and who ends a run ends all of it."""

import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from common import ROOT

# A run of one step, which says that it runs and then goes on for a minute.
RUN = """
import sys
sys.path.insert(0, "ci/lib")
import main, steps, tables
tables.CHECK = [steps.Step("name", "what", ("bash", "-c", "echo $$ >{file}; sleep 60"), 60)]
sys.argv = ["main.py", "check"]
sys.exit(main.main())
"""


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

    def test_what_is_ended_ends_its_step(self):
        with tempfile.TemporaryDirectory() as directory:
            file = pathlib.Path(directory) / "pid"
            run = subprocess.Popen([sys.executable, "-c", RUN.format(file=file)], cwd=ROOT,
                                   stdout=subprocess.DEVNULL)
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
