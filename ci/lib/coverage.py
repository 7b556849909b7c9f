"""Reads what llvm-cov shows of a source tree, and judges it against the listed exceptions.

A template is instantiated many times over: a line, branch or condition counts as covered if it is in
any of its instantiations, and is left out if it is a constant in all of them.
"""

import dataclasses
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
    text: dict = dataclasses.field(default_factory=dict)  # number: the line, stripped
    branches: dict = dataclasses.field(default_factory=dict)  # (place, outcome): taken
    conditions: dict = dataclasses.field(default_factory=dict)  # (decision, place): shown

    def _see(self, known, key, covered):
        known[key] = known.get(key, False) or covered


def read(shown):
    """{path: Source} of the output of llvm-cov show."""
    sources, source, decision, places = {}, None, None, {}
    for line in shown.splitlines():
        if match := FILE.match(line):
            source = sources.setdefault(match[1], Source())
        elif match := LINE.match(line):
            number = int(match[1])
            source.text[number] = match[3].strip()
            if match[2]:
                source._see(source.lines, number, match[2] != "0")
        elif match := BRANCH.search(line):
            if match[3]:
                place = int(match[1]), int(match[2])
                source._see(source.branches, (place, True), match[3] != "0")
                source._see(source.branches, (place, False), match[4] != "0")
        elif match := DECISION.search(line):
            decision, places = (int(match[1]), int(match[2])), {}
        elif match := CONDITION.search(line):
            places[match[1]] = int(match[2]), int(match[3])
        elif (match := PAIR.search(line)) and match[2] != "constant folded":
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
    found = [Miss(file, line, "never runs", source.text[line])
             for line, ran in sorted(source.lines.items()) if not ran]
    if not only_lines:
        found += [Miss(file, line, f"column {column} is never {str(outcome).lower()}",
                       source.text[line])
                  for ((line, column), outcome), taken in sorted(source.branches.items())
                  if not taken and source.lines.get(line, True)]
    return found


def judge(found, exceptions):
    """(misses that no exception names, exceptions that excuse nothing). An exception is a file and the
    text of a line in it."""
    excused = {(miss.file, miss.code) for miss in found}
    listed = {(e["file"], e["code"]) for e in exceptions}
    return ([miss for miss in found if (miss.file, miss.code) not in listed],
            [e for e in exceptions if (e["file"], e["code"]) not in excused])


def figures(known):
    return {"count": len(known), "covered": sum(known)}


def percent(figure):
    return 100 * figure["covered"] / figure["count"] if figure["count"] else 0.0
