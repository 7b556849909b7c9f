"""Runs a table of steps, each a command with a time limit, and says what became of it."""

import dataclasses
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent

PASSED, FAILED, MISSING, OUT_OF_TIME = "passed", "failed", "tool missing", "out of time"
EXIT = {PASSED: 0, FAILED: 1, MISSING: 2, OUT_OF_TIME: 3}


@dataclasses.dataclass(frozen=True)
class Step:
    name: str
    what: str
    command: tuple
    limit_s: int
    preset: str = ""  # ctest's results are in build/<preset>/junit.xml
    environment: dict = dataclasses.field(default_factory=dict)

    @property
    def junit(self):
        return ROOT / "build" / self.preset / "junit.xml" if self.preset else None

    @property
    def command_line(self):
        settings = [f"{key}={shlex.quote(value)}" for key, value in self.environment.items()]
        return " ".join([*settings, shlex.join(self.command)])


@dataclasses.dataclass
class Test:
    name: str
    passed: bool
    seconds: float
    output: str


@dataclasses.dataclass
class Result:
    step: Step
    status: str
    why: str
    seconds: float
    tests: list
    log: pathlib.Path
    again: list  # commands that run what failed once more

    @property
    def passed(self):
        """Tests that passed; a step without tests of its own counts as one."""
        return sum(test.passed for test in self.tests) if self.tests else self.status == PASSED

    @property
    def failed(self):
        failed = sum(not test.passed for test in self.tests)
        return failed if failed else int(self.status != PASSED)


def workflow(preset, what, limit_s, **environment):
    """The step that configures, builds and tests a preset."""
    return Step(preset, what, ("cmake", "--workflow", "--preset", preset), limit_s, preset,
                environment)


def read_junit(path):
    tests = []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        # Whatever is not known to have run to a good end (skipped, disabled) did not pass.
        tests.append(Test(case.get("name"), case.get("status") == "run",
                          float(case.get("time", 0)), output))
    return tests


def run(step, log, time_left_s, progress):
    """Runs one step; its output goes to the file `log`."""
    started = time.monotonic()
    if step.junit:
        step.junit.unlink(missing_ok=True)  # results of an earlier run are not results
    if time_left_s <= 0:
        log.write_text("not started: no time left\n")
        return Result(step, OUT_OF_TIME, "not started", 0, [], log, [step.command_line])
    limit_s = min(step.limit_s, time_left_s)
    try:
        with log.open("wb") as output:
            code = _wait(step, output, log, limit_s, progress)
    except FileNotFoundError as error:
        log.write_text(f"{error}\n")
        code = 127
    return judge(step, code, log, time.monotonic() - started)


def _wait(step, output, log, limit_s, progress):
    """The exit code, or None if the time was over."""
    started = time.monotonic()
    child = subprocess.Popen(step.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output,
                             stderr=subprocess.STDOUT, env={**os.environ, **step.environment},
                             start_new_session=True)
    try:
        while True:
            try:
                return child.wait(timeout=1)
            except subprocess.TimeoutExpired:
                seconds = time.monotonic() - started
                if seconds > limit_s:
                    return None
                progress.tick(step, seconds, log)
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        progress.clear()


def judge(step, code, log, seconds):
    text = log.read_text(errors="replace")
    tests = []
    if step.junit and step.junit.exists():
        tests = read_junit(step.junit)
    bad = [test for test in tests if not test.passed]
    no_tool = "It is in Debian's package"  # how all of ours say so
    if code is None:
        status, why = OUT_OF_TIME, f"killed after {seconds:.0f} s"
    elif any(no_tool not in test.output for test in bad):
        status, why = FAILED, ", ".join(test.name for test in bad)
    elif bad or code == 127 or code != 0 and no_tool in text \
            or code == EXIT[MISSING] and step.command[0].startswith("ci/"):
        status, why = MISSING, "see ci/bootstrap"
    elif code != 0:
        status, why = FAILED, f"exit {code}"
    elif step.junit and not tests:
        status, why = FAILED, "no test ran"
    else:
        status, why = PASSED, ""
    again = [] if status == PASSED else commands_again(step, text, bad)
    return Result(step, status, why, seconds, tests, log, again)


def commands_again(step, text, bad):
    """What the failed checks themselves say, then the tests that failed, or the whole step."""
    text = "\n".join(test.output for test in bad) or text  # passed tests may plant failures
    said = re.findall(r"(?:\bSTRATA_\w+=\S+ )?\bci/(?:repro|programs) [^`\n]+", text)
    tests = [shlex.join(("ci/repro", f"test:{step.preset}:{test.name}")) for test in bad]
    return list(dict.fromkeys([line.strip() for line in said] + (tests or [step.command_line])))


class Progress:
    """Says while a step runs how long it has run and what it said last."""

    def __init__(self, every_s=20):
        self.terminal = sys.stdout.isatty()
        self.every_s = 1 if self.terminal else every_s
        self.next_s = 0

    def start(self, number, count, step):
        self.next_s = self.every_s
        print(f"[{number}/{count}] {step.name}: {step.what}", flush=True)

    def tick(self, step, seconds, log):
        if seconds < self.next_s:
            return
        self.next_s = seconds + self.every_s
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 400))
            lines = file.read().decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        text = f"    {seconds:4.0f} of {step.limit_s} s  {last}"[:110]
        print(f"\r\x1b[K{text}" if self.terminal else text, end="" if self.terminal else "\n",
              flush=True)

    def clear(self):
        if self.terminal:
            print("\r\x1b[K", end="", flush=True)


def show(result):
    count = f", {result.passed} of {len(result.tests)} tests" if result.tests else ""
    print(f"    {result.status}{count}, {result.seconds:.0f} s"
          f"{': ' + result.why if result.why else ''}", flush=True)
    if result.status == PASSED:
        return
    tail = result.log.read_text(errors="replace").splitlines()[-40:]
    print("\n".join("    | " + line[:200] for line in tail))
    for command in result.again:
        print(f"    again: {command}")
    sys.stdout.flush()


def run_all(steps, logs, limit_s):
    """Every step in order, also after a failure; what does not fit in limit_s is out of time."""
    logs.mkdir(parents=True, exist_ok=True)
    progress, results, started = Progress(), [], time.monotonic()
    for number, step in enumerate(steps, 1):
        progress.start(number, len(steps), step)
        time_left_s = limit_s - (time.monotonic() - started)
        results.append(run(step, logs / f"{step.name}.log", time_left_s, progress))
        show(results[-1])
    return results


def verdict(results):
    """The worst that happened: a failed check says more than a missing tool or lost time."""
    found = {result.status for result in results}
    return next((s for s in (FAILED, MISSING, OUT_OF_TIME) if s in found), PASSED)
