"""Small changes of the kind that a slip of the hand makes, to the code of core."""

import dataclasses
import pathlib
import re

# The checker's own code is left out: what it does not say, another layer must.
LEFT_OUT = ("hooks/", "include/", "sync/ordered.hpp")

SWAPS = (
    (r"(?<![<>=!-])<(?= [\w(])(?<= <)", "<="), (r" <= ", " < "), (r" >= ", " > "),
    (r" > (?=[\w(])", " >= "), (r" == ", " != "), (r" != ", " == "), (r" && ", " || "),
    (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \+= ", " -= "), (r" -= ", " += "),
    (r"\+\+(?=\w)", "--"), (r"(?<![-\w])--(?=\w)", "++"), (r" & ", " | "), (r" \| ", " & "),
    (r" \|= ", " = "), (r" &= ", " = "), (r" << ", " >> "), (r" >> ", " << "), (r"~(?=\w)", ""),
    (r"(?<=[( ])!(?=\w)", ""), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"\bstd::min\b", "std::max"), (r"\bstd::max\b", "std::min"),
    (r"\bmemory_order_(acquire|release)\b", "memory_order_relaxed"),
    (r"(?<![\w.{'])1(?![\w.'])", "2"), (r"(?<![\w.{'])1(?![\w.'])", "0"),
    (r"(?<![\w.{'])0(?![\w.'])", "1"), (r" \? (\w[^?:]*) : (\w[^?:;]*)(?=[;)])", r" ? \2 : \1"),
    (r"\b(\w+)\((\w+), (\w+)\)", r"\1(\3, \2)"),
)
# A statement on a line of its own that does something: a call, an assignment, a lock.
STATEMENT = re.compile(r"^\s+(const Lock \w+|const auto lock|[\w.>\[\]()-]+(\(| [|&+-]?= |;)|"
                       r"\+\+|--).*;\s*(//.*)?$")
NOT_CODE = re.compile(r"^\s*(//|#|static_assert|assert|template|using |return;|namespace|\(void\))|"
                      r"\bassert\(|\[\[|\bconstexpr std::uint\w+ \w+ = .*max")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # below core
    line: int  # counted from 1
    old: str
    new: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.old.strip()}  =>  {self.new.strip() or '(dropped)'}"

    def apply(self, core):
        path = core / self.file
        lines = path.read_text().split("\n")
        assert lines[self.line - 1] == self.old
        lines[self.line - 1] = self.new
        path.write_text("\n".join(lines))


def every_mutant(core):
    """All of them, in the order of the source."""
    mutants = []
    for path in sorted(pathlib.Path(core).rglob("*.[ch]pp")):
        name = str(path.relative_to(core))
        if not name.startswith(LEFT_OUT):
            for number, line in enumerate(path.read_text().split("\n"), 1):
                mutants += [Mutant(name, number, line, new) for new in changes(line)]
    return list(dict.fromkeys(mutants))


def changes(line):
    if NOT_CODE.search(line):
        return
    code = line.split("//")[0]
    for pattern, replacement in SWAPS:
        for match in re.finditer(pattern, code):
            changed = code[:match.start()] + match.expand(replacement) + code[match.end():]
            if changed != code:
                yield changed + line[len(code):]
    if STATEMENT.match(line) and " = [" not in line:
        yield ""
