"""Follows the hit path of a function in a shared object: from its entry, falling through every
conditional branch, to the first ret. That is the path a compiler lays out for the likely case."""

import dataclasses
import re
import subprocess

CONDITIONAL = re.compile(r"j(?!mp)\w+$")
LINE = re.compile(r"\s*([0-9a-f]+):\s+(.*)$")
PREFIXES = {"lock", "rep", "repz", "repnz", "data16", "cs", "ds", "notrack", "bnd"}


class Unreadable(Exception):
    """The path cannot be followed, so nothing can be said about it."""


@dataclasses.dataclass
class HitPath:
    instructions: int = 0
    branches: int = 0
    calls: int = 0  # calls, and jumps out of the function: a hit path has none

    def within(self, instructions, branches):
        return (self.instructions <= instructions and self.branches <= branches
                and self.calls == 0)


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _place(library, symbol):
    for line in _run("readelf", "-sW", library).splitlines():
        field = line.split()
        if len(field) >= 8 and field[3] == "FUNC" and field[6] != "UND" \
                and field[7].split("@")[0] == symbol:
            return int(field[1], 16), int(field[2], 0)
    raise Unreadable(f"{library} has no function {symbol}")


def parse(listing):
    """objdump's listing as an ordered {address: (mnemonic, operands)}."""
    code = {}
    for line in listing.splitlines():
        match = LINE.match(line)
        if not match:
            continue
        words = match.group(2).split()
        while words and words[0] in PREFIXES:
            words.pop(0)
        if words:
            code[int(match.group(1), 16)] = (words[0], " ".join(words[1:]))
    return code


def follow(code):
    path = HitPath()
    addresses = list(code)
    after = dict(zip(addresses, addresses[1:]))
    at, seen = addresses[0], set()
    while at is not None:
        if at in seen:
            raise Unreadable(f"the path loops at {at:x}")
        seen.add(at)
        mnemonic, operands = code[at]
        path.instructions += 1
        if mnemonic.startswith("ret"):
            return path
        if CONDITIONAL.match(mnemonic):
            path.branches += 1
        if mnemonic.startswith("call"):
            path.calls += 1
        if mnemonic.startswith("jmp"):
            target = re.match(r"([0-9a-f]+)\b", operands)
            if not target or int(target.group(1), 16) not in code:
                path.calls += 1
                return path
            at = int(target.group(1), 16)
        else:
            at = after.get(at)
    raise Unreadable("the function ends without a ret")


def hit_path(library, symbol):
    start, size = _place(library, symbol)
    listing = _run("objdump", "-d", "--no-show-raw-insn", f"--start-address={start:#x}",
                   f"--stop-address={start + size:#x}", str(library))
    code = parse(listing)
    if not code or next(iter(code)) != start:
        raise Unreadable(f"objdump shows no code for {symbol} in {library}")
    return follow(code)
