"""Reads what llvm-cov shows of a source tree, and judges it against the listed exceptions.

A template is instantiated many times over: a line, branch or condition counts as covered if it is in
any of its instantiations, and is left out if it is a constant in all of them.
"""

import dataclasses
import html
import re

FILE = re.compile(r"^(/\S+):$")
LINE = re.compile(r"^ *(\d+)\| *([\d.kMGTPEZY]*)\|(.*)$")
BRANCH = re.compile(r"Branch \((\d+):(\d+)\): \[(?:True: (\S+), False: ([^\]]+)|Folded - Ignored)\]")
DECISION = re.compile(r"MC/DC Decision Region \((\d+):(\d+)\) to ")
CONDITION = re.compile(r"Condition C(\d+) --> \((\d+):(\d+)\)")
PAIR = re.compile(r"C(\d+)-Pair: (covered|not covered|constant folded)")


@dataclasses.dataclass
class Source:
    """What is known of one file; places are (line, column)."""
    lines: dict = dataclasses.field(default_factory=dict)  # number: whether it ran
    code: dict = dataclasses.field(default_factory=dict)  # number: the line
    branches: dict = dataclasses.field(default_factory=dict)  # (place, outcome): taken
    conditions: dict = dataclasses.field(default_factory=dict)  # (decision, place): shown

    def asserts(self, line):
        """An assertion is there so that it never goes the other way."""
        return re.search(r"\bassert\(", self.code[line]) is not None

    def _see(self, known, key, covered):
        known[key] = known.get(key, False) or covered


def read(shown, sources):
    """Adds the output of llvm-cov show to {path: Source}."""
    source, decision, places = None, None, {}
    for line in shown.splitlines():
        if match := FILE.match(line):
            source = sources.setdefault(match[1], Source())
        elif source is None:
            continue  # a program of one file: its own
        elif match := LINE.match(line):
            number = int(match[1])
            source.code[number] = match[3]
            # A line of brackets alone is the end of what comes before it.
            if match[2] and re.search(r"\w", match[3]):
                source._see(source.lines, number, match[2] != "0")
        elif match := BRANCH.search(line):
            place = int(match[1]), int(match[2])
            if match[3] and not source.asserts(place[0]):
                source._see(source.branches, (place, True), match[3] != "0")
                source._see(source.branches, (place, False), match[4] != "0")
        elif match := DECISION.search(line):
            decision, places = (int(match[1]), int(match[2])), {}
        elif match := CONDITION.search(line):
            places[match[1]] = int(match[2]), int(match[3])
        elif (match := PAIR.search(line)) and match[2] != "constant folded" \
                and not source.asserts(decision[0]):
            source._see(source.conditions, (decision, places[match[1]]), match[2] == "covered")
    return sources


@dataclasses.dataclass(frozen=True)
class Miss:
    file: str
    line: int
    what: str
    code: str


def misses(file, source, only_lines=False):
    """What was not covered, a line at a time; branches of lines that never ran are not repeated."""
    found = [Miss(file, line, "never runs", source.code[line].strip())
             for line, ran in sorted(source.lines.items()) if not ran]
    if not only_lines:
        found += [Miss(file, line, f"column {column} is never {str(outcome).lower()}",
                       source.code[line].strip())
                  for ((line, column), outcome), taken in sorted(source.branches.items())
                  if not taken and source.lines.get(line, True)]
    return found


def _places(source, code):
    """The lines that the text of an exception, one line or several, stands for; it must be there once."""
    text = [line.strip() for line in code.strip().splitlines()]
    numbers = sorted(source.code) if source else []
    starts = [at for at in range(len(numbers) - len(text) + 1)
              if [source.code[n].strip() for n in numbers[at:at + len(text)]] == text]
    return numbers[starts[0]:starts[0] + len(text)] if len(starts) == 1 else []


def judge(found, exceptions, sources):
    """(misses that no exception names, exceptions that excuse nothing)."""
    missed, listed, stale = {(miss.file, miss.line) for miss in found}, set(), []
    for entry in exceptions:
        lines = {(entry["file"], line)
                 for line in _places(sources.get(entry["file"]), entry["code"])}
        listed |= lines
        excuses = lines & missed or (lines and entry.get("by_luck"))  # whether it runs is chance
        if not excuses or not entry["reason"]:
            stale.append(entry)
    return [miss for miss in found if (miss.file, miss.line) not in listed], stale


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>coverage of core</title>
<style>body {{ font: 13px/1.4 monospace; margin: 2em }} pre {{ margin: 0 }} h2 {{ font-size: 15px }}
.no {{ background: #f4b6b6 }} .part {{ background: #f4e2a8 }} .yes {{ background: #dff0dc }}
td.n {{ text-align: right }}</style>
<h1>Coverage of core by the tests</h1>
<p>Red lines never run; of yellow ones a branch or a condition is not covered: point at them.</p>
<table>{rows}</table>{files}</html>
"""


def _file_page(file, source, found):
    remarks = {}
    for miss in found:
        remarks.setdefault(miss.line, []).append(miss.what)
    for (_, (line, column)), shown in source.conditions.items():
        if not shown:
            remarks.setdefault(line, []).append(f"column {column} is not shown to decide")
    lines = []
    for number, text in sorted(source.code.items()):
        ran = source.lines.get(number)
        kind = "no" if ran is False else "part" if number in remarks else "yes" if ran else ""
        lines.append(f'<pre class="{kind}" title="{html.escape("; ".join(remarks.get(number, [])))}">'
                     f"{number:5} {html.escape(text)}</pre>")
    return f'<h2 id="{file}">{file}</h2>' + "".join(lines)


def page(sources, found):
    """Every file with what is not covered of it marked."""
    rows, files = [], []
    for file, source in sorted(sources.items()):
        parts = [figures(known.values())
                 for known in (source.lines, source.branches, source.conditions)]
        rows.append(f'<tr><td><a href="#{file}">{file}</a></td>' + "".join(
            f'<td class="n">{part["covered"]} of {part["count"]}</td>' for part in parts) + "</tr>")
        files.append(_file_page(file, source, [miss for miss in found if miss.file == file]))
    return PAGE.format(rows="".join(rows), files="".join(files))


def figures(known):
    known = list(known)
    return {"count": len(known), "covered": sum(known)}


def percent(figure):
    return 100 * figure["covered"] / figure["count"] if figure["count"] else 0.0
