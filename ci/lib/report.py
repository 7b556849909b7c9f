"""Sums up a run: a table for the terminal, summary.json, and one self-contained page.

The keys of summary.json are documented in ci/README.md.
"""

import html
import json
import os
import pathlib
import platform
import re
import subprocess
import time

import steps

ROOT = steps.ROOT
LOG_TAIL_LINES = 60


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        return done.stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return None


def _json(path, newer_than):
    """A file that this run wrote; what an earlier one left behind is not a result."""
    path = ROOT / "build" / path
    if not path.exists() or path.stat().st_mtime < newer_than:
        return None
    return json.loads(path.read_text())


def fuzz_figures(result):
    """libFuzzer's own figures, one entry a target."""
    figures = []
    for test in result.tests:
        runs = re.findall(r"(?:Done |number_of_executed_units:\s*)(\d+)", test.output)
        covered = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", test.output)
        if runs:
            last = [int(number) for number in covered[-1]] if covered else [None] * 3
            figures.append({"target": test.name, "runs": int(runs[-1]), "seconds": test.seconds,
                            "edges": last[0], "features": last[1], "corpus": last[2]})
    return figures


def property_figures(result):
    """How many sequences of commands the models have run, and of how many commands."""
    found = [match for test in result.tests
             for match in re.findall(r"(\d+) command sequences, (\d+) commands", test.output)]
    return {"sequences": sum(int(sequences) for sequences, _ in found),
            "commands": sum(int(commands) for _, commands in found)}


def summary(command, full, results, started):
    status = steps.verdict(results)
    by_name = {result.step.name: result for result in results}
    return {
        "version": 1,
        "command": command,
        "full": full,
        "result": status,
        "exit": steps.EXIT[status],
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "seconds": round(time.time() - started),
        "commit": _first_line("git", "describe", "--always", "--dirty", "--abbrev=12"),
        "machine": {
            "cpus": os.cpu_count(),
            "kernel": platform.release(),
            "clang": _first_line("clang++-19", "--version"),
            "gcc": _first_line("g++-12", "--version"),
            "cmake": _first_line("cmake", "--version"),
        },
        "tests": {"passed": sum(result.passed for result in results),
                  "failed": sum(result.failed for result in results)},
        "steps": [
            {
                "name": result.step.name,
                "what": result.step.what,
                "command": result.step.command_line,
                "result": result.status,
                "why": result.why,
                "seconds": round(result.seconds, 1),
                "limit_s": result.step.limit_s,
                "again": result.again,
                "tests": [{"name": test.name, "passed": test.passed, "seconds": test.seconds}
                          for test in result.tests],
            } for result in results
        ],
        "programs": {
            "release": _json("release/programs.json", started),
            "checked": _json("release/programs-checked.json", started),
        },
        "hit_paths": _json("release/disassembly.json", started),
        "fuzz": fuzz_figures(by_name["fuzz"]) if "fuzz" in by_name else None,
        "properties": property_figures(by_name["props"]) if "props" in by_name else None,
        "coverage": _json("coverage/coverage.json", started),
        "bench": _json("bench/bench.json", started),
    }


def table(results):
    """The steps as lines of text."""
    width = max(len(result.step.name) for result in results)
    lines = [f"{'step':<{width}}  {'result':<12}  {'tests':>9}  {'time':>7}  {'limit':>7}"]
    for result in results:
        count = f"{result.passed}/{len(result.tests)}" if result.tests else "-"
        lines.append(f"{result.step.name:<{width}}  {result.status:<12}  {count:>9}  "
                     f"{result.seconds:>5.0f} s  {result.step.limit_s:>5} s  {result.why}".rstrip())
    return "\n".join(lines)


STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em;
       color: #222; background: #fff }
table { border-collapse: collapse; margin: .5em 0 1.5em }
th, td { padding: .2em .8em; text-align: left; border-bottom: 1px solid #ddd }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
.good { color: #176b2c } .bad { color: #b00020; font-weight: bold } .dim { color: #777 }
pre { background: #f5f5f5; padding: .8em; overflow-x: auto; font-size: 13px }
summary { cursor: pointer }
"""

GOOD = {"passed", "same", "within", True}
DIM = {"absent", "printed", None}


def _cell(value):
    if isinstance(value, float):
        value = f"{value:.2f}"
    number = isinstance(value, int) and not isinstance(value, bool) or \
        isinstance(value, str) and re.fullmatch(r"[\d.]+", value)
    return f'<td class="number">{value}</td>' if number \
        else f"<td>{html.escape('–' if value is None else str(value))}</td>"


def _mark(value):
    kind = "good" if value in GOOD else "dim" if value in DIM else "bad"
    text = {True: "passed", False: "failed", None: "–"}.get(value, value)
    return f'<td class="{kind}">{html.escape(str(text))}</td>'


def _table(heads, rows):
    """Rows of cells that are already HTML."""
    head = "".join(f"<th>{html.escape(head)}</th>" for head in heads)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n{body}</table>"


def _section(title, content):
    return f"<h2>{html.escape(title)}</h2>\n{content}\n"


def _steps_section(data):
    return _section("Steps", _table(
        ["step", "", "result", "tests", "seconds", "limit", "command"],
        [[_cell(step["name"]), _cell(step["what"]), _mark(step["result"]),
          _cell(f"{sum(t['passed'] for t in step['tests'])} of {len(step['tests'])}"
                if step["tests"] else None),
          _cell(step["seconds"]), _cell(step["limit_s"]),
          f"<td><code>{html.escape(step['command'])}</code></td>"] for step in data["steps"]]))


def _failures_section(results):
    parts = []
    for result in results:
        if result.status != steps.PASSED:
            tail = result.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
            parts.append(f"<h3>{html.escape(result.step.name)}: {html.escape(result.status)} "
                         f"{html.escape(result.why)}</h3><p>Again:</p>"
                         f"<pre>{html.escape(chr(10).join(result.again))}</pre>"
                         f"<p>The end of its output:</p>"
                         f"<pre>{html.escape(chr(10).join(tail))}</pre>")
    return _section("What went wrong", "".join(parts)) if parts else ""


def _programs_section(data):
    parts = []
    for library, rows in data["programs"].items():
        if rows:
            parts.append(f"<h3>{html.escape(library)} library</h3>" + _table(
                ["program", "output", "plain, s", "on strata, s"],
                [[_cell(row["name"]), _mark(row["result"]), _cell(row.get("plain_s")),
                  _cell(row.get("loaded_s"))] for row in rows]))
    return _section("Real programs", "".join(parts)) if parts else ""


def _hit_paths_section(data):
    if not data["hit_paths"]:
        return ""
    return _section("Hit paths", _table(
        ["plan", "function", "instructions", "limit", "branches", "limit", "asked", "result"],
        [[_cell(row["plan"]), _cell(row["function"]), _cell(row["instructions"]),
          _cell(row["limit_instructions"]), _cell(row["branches"]), _cell(row["limit_branches"]),
          _cell({"keep": "keep the limits", "break": "break them (planted)"}[row["asked"]]),
          _mark(row["passed"])]
         for row in data["hit_paths"]]))


def _fuzz_section(data):
    if not data["fuzz"]:
        return ""
    return _section("Fuzzing", _table(
        ["target", "executions", "seconds", "edges", "features", "corpus"],
        [[_cell(row[key]) for key in ("target", "runs", "seconds", "edges", "features", "corpus")]
         for row in data["fuzz"]]))


def _coverage_section(data):
    coverage = data["coverage"]
    if not coverage:
        return ""
    return _section("Coverage of core by the tests", f"<p>{coverage['exceptions']} exceptions, each "
                    "with its reason in props/coverage.toml; the lines themselves are in "
                    "build/coverage/html.</p>" +
                    _table(["", "covered", "of"],
                           [[_cell(what), _cell(coverage[what]["covered"]),
                             _cell(coverage[what]["count"])]
                            for what in ("lines", "branches", "conditions")]))


def _bench_section(data):
    bench = data["bench"]
    if not bench:
        return ""
    names = bench["allocators"]
    rows = [[_cell(row["name"]), *[_cell(row["ns"].get(name)) for name in names],
             _cell(row["to_best"])] for row in bench["rows"]]
    return _section("Benchmarks", f"<p>Nanoseconds an operation, median of {bench['rounds']} "
                    f"rounds; absent: {html.escape(', '.join(bench['absent']) or 'none')}. "
                    f"strata to each row's best of the others: geometric mean "
                    f"{bench['geometric_mean']:.2f}.</p>" +
                    _table(["row", *names, "to best"], rows))


def _tests_section(data):
    parts = []
    for step in data["steps"]:
        if step["tests"]:
            parts.append(f"<details><summary>{html.escape(step['name'])}: {len(step['tests'])} "
                         "tests</summary>" + _table(
                             ["test", "result", "seconds"],
                             [[_cell(test["name"]), _mark(test["passed"]), _cell(test["seconds"])]
                              for test in step["tests"]]) + "</details>")
    return _section("Every test", "".join(parts)) if parts else ""


def page(data, results):
    machine = ", ".join(str(value) for value in data["machine"].values() if value)
    kind = "good" if data["result"] == steps.PASSED else "bad"
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>strata: {html.escape(data['result'])}</title>
<style>{STYLE}</style>
<h1>strata: <span class="{kind}">{html.escape(data['result'])}</span></h1>
<p>{data['tests']['passed']} passed, {data['tests']['failed']} failed in {data['seconds']} s;
ci/{data['command']}{' --full' if data['full'] else ''}, commit
{html.escape(data['commit'] or 'unknown')}, {data['started']}</p>
<p class="dim">cpus: {html.escape(machine)}</p>
{_steps_section(data)}{_failures_section(results)}{_programs_section(data)}
{_hit_paths_section(data)}{_fuzz_section(data)}{_coverage_section(data)}{_bench_section(data)}{_tests_section(data)}
</html>
"""


def write(directory, data, results):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "summary.json").write_text(json.dumps(data, indent=1) + "\n")
    (directory / "index.html").write_text(page(data, results))
