"""Where the scripts are, programs of a test's own, and scripts as modules."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import subprocess
import sys
import tempfile
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "ci" / "lib"))


def directory_for(test):
    """A directory that is there until the test ends."""
    directory = tempfile.TemporaryDirectory()
    test.addCleanup(directory.cleanup)
    return pathlib.Path(directory.name).resolve()


def write_program(directory, name, text):
    path = pathlib.Path(directory) / name
    path.write_text("#!/bin/bash\n" + text + "\n")
    path.chmod(0o755)


def run(command, **environment):
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          check=False)


def load(script):
    """A script as a module, whether or not its name ends in .py; it finds what is beside it."""
    path = ROOT / script
    sys.path.insert(0, str(path.parent))
    loader = importlib.machinery.SourceFileLoader(script, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(script, loader))
    loader.exec_module(module)
    return module


def exit_of(script, *arguments):
    """What the main() of a loaded script returns; what it prints goes nowhere."""
    nowhere = io.StringIO()
    with (mock.patch.object(sys, "argv", [script.__name__, *map(str, arguments)]),
          contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere)):
        return script.main()
