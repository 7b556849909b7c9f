"""Many changes in one core: each line that is changed says both, and asks which of them holds.

    a = b + c;    becomes    if (strata_mutant[1] == 7) { a = b - c; } else { a = b + c; }

So a program is compiled once for hundreds of changes, and its copies differ in one number.
"""

import re

CHOSEN = "strata_mutant[1]"
MAGIC = (0x6D75_7461_6E74_3A29).to_bytes(8, "little")  # stands before the number: see chosen.cpp

# What is a constant, or names something: no run-time choice can stand there.
COMPILE_TIME = re.compile(r"\b(static|constexpr)\b|^\s*[\w:]+(<.*>)? \w+;$")
DECLARATION = re.compile(r"^(\s*(?:const )?[\w:]+(?:<[\w:, <>]*>)?[&*]?(?: const)? [&*]?\w+ = )([^{].*);$")
EXPRESSION = re.compile(r"^\s*(?!const |auto |static |using |std::u\w+ |bool |struct |class )"
                        r"(return\b.*|\S.*);$")
CONDITION = re.compile(r"^(\s*(?:\} else )?(?:if|while) \()((?!const |constexpr).*)(\)(?: \[\[\w+\]\])? \{)$")
LOOP = re.compile(r"^(\s*for \()([^;]*);([^;]*);([^;]*)(\) \{)$")
ONE_LINE = re.compile(r"^(.*\)(?: const)?(?: noexcept)? \{ )(.*;)( \})$")


def both(old, new, number):
    """The line that is `new` if `number` is chosen and `old` if not; None if there is none."""
    if COMPILE_TIME.search(old) or old.count("(") != old.count(")"):
        return None
    if not new:
        return f"if ({CHOSEN} != {number}) {{ {old} }}" if EXPRESSION.match(old) else None
    for form in (_one_line, _condition, _loop, _declaration, _statement):
        line = form(old, new, number)
        if line:
            return line
    return None


def _choose(old, new, number):
    return f"{CHOSEN} == {number} ? ({new}) : ({old})"


def _parts(pattern, old, new):
    one, other = pattern.match(old), pattern.match(new)
    return (one.groups(), other.groups()) if one and other else (None, None)


def _one_line(old, new, number):
    a, b = _parts(ONE_LINE, old, new)
    if a and a[0] == b[0]:
        return f"{a[0]}if ({CHOSEN} == {number}) {{ {b[1]} }} else {{ {a[1]} }}{a[2]}"


def _condition(old, new, number):
    a, b = _parts(CONDITION, old, new)
    if a and a[0] == b[0] and a[2] == b[2]:
        return f"{a[0]}{_choose(a[1], b[1], number)}{a[2]}"


def _loop(old, new, number):
    a, b = _parts(LOOP, old, new)
    if not a:
        return None
    begin, condition, step = a[1:4]
    if a[1] != b[1]:
        one, other = (re.match(r"^(.* = )([^,]*)$", part) for part in (a[1], b[1]))
        if not (one and other and one[1] == other[1]):
            return None
        begin = one[1] + _choose(one[2], other[2], number)
    elif a[2] != b[2]:
        condition = " " + _choose(a[2].strip() or "true", b[2].strip() or "true", number)
    else:
        step = f" {CHOSEN} == {number} ? (void)({b[3]}) : (void)({a[3]})"
    return f"{a[0]}{begin};{condition};{step}{a[4]}"


def _declaration(old, new, number):
    a, b = _parts(DECLARATION, old, new)
    if a and a[0] == b[0] and not a[0].lstrip().startswith("return"):
        return f"{a[0]}{_choose(a[1], b[1], number)};"


def _statement(old, new, number):
    if EXPRESSION.match(old) and EXPRESSION.match(new):
        return f"if ({CHOSEN} == {number}) {{ {new.strip()} }} else {{ {old.strip()} }}"
