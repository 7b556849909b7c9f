"""Small changes of the kind that a slip of the hand makes, to the code of core."""

import dataclasses
import itertools
import pathlib
import random
import re

LEFT_OUT = ("include/",)  # a header of C declarations

SWAPS = (
    # operators
    (r"(?<![<>=!-])<(?= [\w(])(?<= <)", "<="), (r" <= ", " < "), (r" >= ", " > "),
    (r" > (?=[\w(])", " >= "), (r" == ", " != "), (r" != ", " == "), (r" && ", " || "),
    (r" \|\| ", " && "), (r" \+ ", " - "), (r" - ", " + "), (r" \+= ", " -= "), (r" -= ", " += "),
    (r"\+\+(?=\w)", "--"), (r"(?<![-\w])--(?=\w)", "++"), (r" & ", " | "), (r" \| ", " & "),
    (r" \|= ", " = "), (r" &= ", " = "), (r" << ", " >> "), (r" >> ", " << "), (r" \* ", " / "),
    (r" / (?=\w)", " * "), (r" % ", " / "), (r"~(?=\w)", ""), (r"(?<=[( ])!(?=\w)", ""),
    # constants, and off by one
    (r"\btrue\b", "false"), (r"\bfalse\b", "true"), (r"\bstd::min\b", "std::max"),
    (r"\bstd::max\b", "std::min"), (r"(?<![\w.{'])1(?![\w.'])", "2"),
    (r"(?<![\w.{'])1(?![\w.'])", "0"), (r"(?<![\w.{'])0(?![\w.'])", "1"),
    (r"(?<![\w.{'])([2-9]|[1-9]\d+)(?![\w.'])", r"(\1 + 1)"),
    (r"(?<![\w.{'])([2-9]|[1-9]\d+)(?![\w.'])", r"(\1 / 2)"),
    (r" (<|<=|>|>=) (\w+(?:\.\w+)*)(?=[;)&| ])", r" \1 \2 + 1"),
    # memory orders
    (r"\bmemory_order_(acquire|release)\b", "memory_order_relaxed"),
    # conditions that hold always or never, and swapped choices and arguments
    (r"\b(if|while) \((?!const )(.*)\) \{$", r"\1 (false && (\2)) {"),
    (r"\bif \((?!const )(.*)\) \{$", r"if (true || (\1)) {"),
    (r" \? (\w[^?:]*) : (\w[^?:;]*)(?=[;)])", r" ? \2 : \1"),
    (r"\b(\w+)\((\w+), (\w+)\)", r"\1(\3, \2)"), (r"\b(\w+)\((\w+), (\w+), ", r"\1(\3, \2, "),
    (r", (\w+), (\w+)\)", r", \2, \1)"),
    # a lock is not taken; what a call came to is not passed on
    (r"^(\s*const (?:Lock|auto) (?:lock|all|purge|commit) = )(.*);$", r"\1decltype(\2){};"),
    (r"\breturn (\w+(?:<\w+>)?\(.*\));", r"return decltype(\1){};"),
    (r"^(\s+)[\w.\[\]]+ [+|&-]?= (\w[\w.]*\(.*\);)", r"\1\2"),
)
# A statement that does something: a call or an assignment.
STATEMENT = re.compile(r"^\s+([\w.>\[\]()-]+(\(| [|&+-]?= |;)|\+\+|--).*;$")
NOT_CODE = re.compile(r"^\s*(//|#|static_assert|assert|template|using |return;|namespace|\(void\))|"
                      r"\bassert\(|\[\[|\bconstexpr std::uint\w+ \w+ = .*max")


@dataclasses.dataclass(frozen=True)
class Mutant:
    file: str  # below core
    line: int  # of the statement's first line, counted from 1
    lines: int  # that the statement takes
    old: str
    new: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.old.strip()}  =>  {self.new.strip() or '(dropped)'}"

    def apply(self, core, text=None):
        """Writes `text`, or the change, in place of the statement; the other lines keep theirs."""
        path = core / self.file
        lines = path.read_text().split("\n")
        assert self.old.startswith(lines[self.line - 1].split("//")[0].rstrip())
        lines[self.line - 1] = self.new if text is None else text
        lines[self.line:self.line + self.lines - 1] = [""] * (self.lines - 1)
        path.write_text("\n".join(lines))


def statements(text):
    """(line, lines, the statement as one line without its comments)."""
    lines = text.split("\n")
    at = 0
    while at < len(lines):
        joined, count = lines[at].split("//")[0].rstrip(), 1
        while (joined and count < 8 and not joined.lstrip().startswith("#")
               and (joined[-1] not in ";{}:" or joined.count("(") > joined.count(")"))
               and at + count < len(lines)):
            joined += " " + lines[at + count].split("//")[0].strip()
            count += 1
        yield at + 1, count, joined
        at += count


def every_mutant(core):
    """All of them, in the order of the source."""
    mutants = []
    for path in sorted(pathlib.Path(core).rglob("*.[ch]pp")):
        name = str(path.relative_to(core))
        if not name.startswith(LEFT_OUT):
            for line, lines, old in statements(path.read_text()):
                mutants += [Mutant(name, line, lines, old, new) for new in changes(old)]
    return list(dict.fromkeys(mutants))


def sample(mutants, seed):
    """One change of each statement that has any, in an order of which every beginning takes the same
    part of each file."""
    chance = random.Random(seed)
    placed = []
    for _, of_file in itertools.groupby(mutants, lambda m: m.file):
        lines = [list(group) for _, group in itertools.groupby(of_file, lambda m: m.line)]
        chance.shuffle(lines)
        start = chance.random()
        placed += [((start + i) / len(lines), chance.choice(line)) for i, line in enumerate(lines)]
    return [mutant for _, mutant in sorted(placed, key=lambda place: place[0])]


def changes(old):
    if NOT_CODE.search(old):
        return
    for pattern, replacement in SWAPS:
        for match in re.finditer(pattern, old):
            changed = old[:match.start()] + match.expand(replacement) + old[match.end():]
            if changed != old:
                yield changed
    if STATEMENT.match(old) and " = [" not in old:
        yield ""
