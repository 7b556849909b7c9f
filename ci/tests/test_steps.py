"""The runner: nothing but a good end is a pass."""

import io
import time
import types
import unittest
from contextlib import redirect_stdout
from unittest import mock

import common  # finds ci/lib
import report
import steps

SUITE = '<testsuite><testcase name="a" status="run" time="1"/>{}</testsuite>'


class Runner(unittest.TestCase):
    def setUp(self):
        self.directory = common.directory_for(self)
        self.junit = self.directory / "build" / "p" / "junit.xml"
        self.junit.parent.mkdir(parents=True)
        patch = mock.patch.object(steps, "ROOT", self.directory)
        patch.start()
        self.addCleanup(patch.stop)

    def run_step(self, script, limit_s=20, preset="", time_left_s=100):
        step = steps.Step("name", "what", ("bash", "-c", script), limit_s, preset)
        return steps.run(step, self.directory / "log", time_left_s, steps.Progress())

    def judge(self, code, command="true", preset=""):
        (self.directory / "log").touch()
        step = steps.Step("name", "what", (command,), 20, preset)
        return steps.judge(step, code, self.directory / "log", 1).status

    def write_junit(self, more=""):
        text = SUITE.format(more).replace('"', '\\"')
        return f'echo "{text}" >{self.junit}'

    def test_a_good_end_passes(self):
        result = self.run_step("true")
        self.assertEqual((result.status, result.passed, result.failed), (steps.PASSED, 1, 0))
        self.assertEqual(result.again, [])

    def test_another_exit_code_fails_and_says_how_to_do_it_again(self):
        result = self.run_step("echo ci/repro fuzz:a:b; exit 3")
        self.assertEqual((result.status, result.passed, result.failed), (steps.FAILED, 0, 1))
        self.assertEqual(result.again[0], "ci/repro fuzz:a:b")

    def test_a_missing_program_is_not_a_pass(self):
        step = steps.Step("name", "what", ("no-such-program-here",), 5)
        result = steps.run(step, self.directory / "log", 100, steps.Progress())
        self.assertEqual(result.status, steps.MISSING)

    def test_a_missing_library_is_told_from_a_failure(self):
        result = self.run_step("echo \"x is missing. It is in Debian's package 'y'\"; exit 1")
        self.assertEqual(result.status, steps.MISSING)

    def test_a_failed_test_says_more_than_a_missing_tool_elsewhere(self):
        missing = "x is missing. It is in Debian's package 'y'"
        said = '<testcase name="{}" status="fail" time="0"><system-out>{}</system-out></testcase>'
        (self.directory / "log").write_text(missing)
        for more, status in ((said.format("bad", missing), steps.MISSING),
                             (said.format("bad", "1 is not 2"), steps.FAILED),
                             ("", steps.PASSED)):
            self.junit.write_text(SUITE.format(more))
            code = 0 if status == steps.PASSED else 8
            self.assertEqual(self.judge(code, preset="p"), status)

    def test_only_our_own_commands_say_by_2_that_something_is_missing(self):
        self.assertEqual(self.judge(2, "ci/style"), steps.MISSING)
        self.assertEqual(self.judge(2, "cmake"), steps.FAILED)

    def test_over_its_limit_a_step_and_its_children_are_killed(self):
        started = time.monotonic()
        result = self.run_step(f"(sleep 4; touch {self.directory}/alive) & wait", limit_s=1)
        self.assertEqual((result.status, result.failed), (steps.OUT_OF_TIME, 1))
        self.assertLess(time.monotonic() - started, 4)
        time.sleep(max(0, started + 4.5 - time.monotonic()))
        self.assertFalse((self.directory / "alive").exists())

    def test_with_no_time_left_a_step_is_not_started(self):
        result = self.run_step(f"touch {self.directory}/started", time_left_s=0)
        self.assertEqual(result.status, steps.OUT_OF_TIME)
        self.assertFalse((self.directory / "started").exists())

    def test_a_step_gets_no_more_than_the_time_left(self):
        self.assertEqual(self.run_step("sleep 3", time_left_s=0.5).status, steps.OUT_OF_TIME)

    def test_tests_are_counted(self):
        result = self.run_step(self.write_junit('<testcase name="b" status="run" time="1"/>'),
                               preset="p")
        self.assertEqual((result.status, result.passed, result.failed), (steps.PASSED, 2, 0))

    def test_a_failed_or_skipped_test_fails_the_step_whatever_the_exit_code(self):
        for status in ("fail", "notrun", "disabled"):
            bad = f'<testcase name="bad" status="{status}" time="0"/>'
            result = self.run_step(self.write_junit(bad), preset="p")
            self.assertEqual((result.status, result.passed, result.failed), (steps.FAILED, 1, 1))
            self.assertEqual(result.again, ["ci/repro test:p:bad"])

    def test_good_tests_do_not_excuse_how_their_step_ended(self):
        self.junit.write_text(SUITE.format(""))
        for code, status in ((0, steps.PASSED), (3, steps.FAILED), (None, steps.OUT_OF_TIME)):
            self.assertEqual(self.judge(code, preset="p"), status)

    def test_results_of_an_earlier_run_do_not_count(self):
        self.junit.write_text(SUITE.format(""))
        result = self.run_step("true", preset="p")
        self.assertEqual((result.status, result.why), (steps.FAILED, "no test ran"))

    def test_every_step_runs_and_the_worst_names_the_end(self):
        table = [steps.Step("bad", "", ("false",), 5), steps.Step("gone", "", ("no-such",), 5),
                 steps.Step("good", "", ("true",), 5)]
        with redirect_stdout(io.StringIO()) as output:
            results = steps.run_all(table, self.directory / "logs", 50)
        self.assertEqual([r.status for r in results], [steps.FAILED, steps.MISSING, steps.PASSED])
        self.assertEqual(steps.verdict(results), steps.FAILED)
        self.assertEqual(steps.verdict(results[1:]), steps.MISSING)
        self.assertEqual(steps.verdict(results[2:]), steps.PASSED)
        self.assertIn("again: false", output.getvalue())

    def test_the_worst_is_a_failure_then_a_missing_tool_then_lost_time(self):
        order = (steps.FAILED, steps.MISSING, steps.OUT_OF_TIME, steps.PASSED)
        self.assertEqual([steps.EXIT[status] for status in order], [1, 2, 3, 0])
        for at, worst in enumerate(order):
            results = [types.SimpleNamespace(status=status) for status in reversed(order[at:])]
            self.assertEqual(steps.verdict(results), worst)

    def test_figures_of_an_earlier_run_are_not_reported(self):
        figures = self.directory / "build" / "bench" / "bench.json"
        figures.parent.mkdir()
        figures.write_text('{"rounds": 1}')
        with mock.patch.object(report, "ROOT", self.directory):
            for started, reported in ((time.time() - 60, {"rounds": 1}), (time.time() + 60, None)):
                self.assertEqual(report.summary("check", False, [], started)["bench"], reported)

    def test_the_report_names_what_failed_and_every_key_is_documented(self):
        with redirect_stdout(io.StringIO()):
            results = steps.run_all([steps.Step("badly", "", ("false",), 5)],
                                    self.directory / "logs", 50)
        data = report.summary("check", False, results, time.time())
        report.write(self.directory, data, results)
        self.assertEqual((data["result"], data["exit"]), (steps.FAILED, 1))
        self.assertIn("badly", (self.directory / "index.html").read_text())
        documented = (common.ROOT / "ci" / "README.md").read_text()
        for key in [*data, *data["steps"][0], *data["machine"]]:
            self.assertIn(f"`{key}`", documented)


if __name__ == "__main__":
    unittest.main()
