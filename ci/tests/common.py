"""Where the scripts are, and a PATH whose programs are the test's own."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "ci" / "lib"))


def write_program(directory, name, text):
    path = pathlib.Path(directory) / name
    path.write_text("#!/bin/bash\n" + text + "\n")
    path.chmod(0o755)


def run(command, **environment):
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          check=False)
