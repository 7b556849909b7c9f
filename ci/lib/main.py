"""ci/test and ci/check, after their bootstrap: run the table, sum up, report."""

import argparse
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import report  # noqa: E402
import steps  # noqa: E402
import tables  # noqa: E402


def choose(arguments):
    """The steps, their common limit, and where the report goes."""
    build = steps.ROOT / "build"
    if arguments.command == "test":
        return tables.TEST, tables.TEST_LIMIT_S, build / "report-test"
    if arguments.full:
        return tables.FULL, tables.FULL_LIMIT_S, build / "report"
    return tables.CHECK, tables.CHECK_LIMIT_S, build / "report"


def main():
    # No abbreviations: a slip of the finger must not start what takes hours.
    parser = argparse.ArgumentParser(allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("test", allow_abbrev=False)
    check = commands.add_parser("check", allow_abbrev=False)
    check.add_argument("--full", action="store_true",
                       help="longer budgets, and every preset; hours")
    arguments = parser.parse_args()
    # Whoever ends this ends the step that runs: it has a session of its own.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    table, limit_s, directory = choose(arguments)

    started = time.time()
    results = steps.run_all(table, directory / "logs", limit_s)
    summary = report.summary(arguments.command, getattr(arguments, "full", False), results,
                             started)
    report.write(directory, summary, results)

    print("\n" + report.table(results))
    print(f"report: {directory.relative_to(steps.ROOT)}/index.html")
    print(f"{summary['result']} in {summary['seconds']} s")
    print(f"{summary['tests']['passed']} passed, {summary['tests']['failed']} failed")
    return summary["exit"]


if __name__ == "__main__":
    sys.exit(main())
