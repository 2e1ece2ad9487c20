"""Translate RE2's regular expressions to Python's, and bound what they may cost there.

RE2 never backtracks; Python does. So a pattern that might take long is refused, and so is syntax
that Python lacks. The package google-re2, if it is installed, handles all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod

from queued_gspread._install import how_to_install
from queued_gspread.emulator.book.not_computed import NotComputedError

REMEDY = f"RE2 computes it: {how_to_install('regex')}"
# Steps that take about a second.
_MOST_STEPS = 10**8
_MOST_REPEATS = 1000
_REPEAT = re.compile(r"([*+?]|\{(\d+)(?:(,)(\d*))?\})(\??)", re.ASCII)
_OPENING = re.compile(r"\((?:\?(?:P?<([A-Za-z_]\w*)>|([imsU]*(?:-[imsU]+)?)([:)])))?", re.ASCII)
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "ascii": r"\x00-\x7f",
    "blank": r"\t ",
    "cntrl": r"\x00-\x1f\x7f",
    "digit": "0-9",
    "graph": "!-~",
    "lower": "a-z",
    "print": " -~",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t\n\v\f\r ",
    "upper": "A-Z",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_OCTAL = re.compile(r"\\[1-7][0-7]")
_HEX = re.compile(r"\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_NAMED_CLASS = re.compile(r"\[:(\^?)(\w+):\]")
_SPACE, _NO_SPACE = r"\t\n\f\r ", r"\x00-\x08\x0b\x0e-\x1f!-\U0010ffff"
_ASSERTIONS = {"b", "B", "A", "z"}
_LARGEST_CODE = 0x10FFFF


def _unlike(pattern: str) -> NotComputedError:
    return NotComputedError(f"the regular expression {pattern!r}: {REMEDY}")


class BadPatternError(ValueError):
    """A text that RE2 refuses as a regular expression."""


@dataclass
class _Group:
    """An open group: how it can vary, and what `(?i)` at its start opened inside it."""

    varies: bool = False
    alternatives: int = 1
    closing: str = ")"


@dataclass
class _Translation:
    pattern: str
    place: int = 0
    made: list[str] = field(default_factory=list)
    groups: list[_Group] = field(default_factory=lambda: [_Group(closing="")])
    # By how much each part multiplies the steps; 0 is the length of the text.
    factors: list[int] = field(default_factory=list)
    multiline: bool = False
    last: _Group | None = None
    repeatable: bool = False
    is_assertion: bool = False
    is_start: bool = True

    def run(self) -> None:
        while self.place < len(self.pattern):
            self._step(self.pattern[self.place])
        if len(self.groups) > 1:
            raise BadPatternError("missing )")
        self._end_group()

    def _step(self, mark: str) -> None:
        if mark == "\\":
            self._escape()
        elif mark == "[":
            self._class()
        elif mark == "(":
            self._open()
        elif mark == ")":
            if len(self.groups) == 1:
                raise BadPatternError("unexpected )")
            self._end_group()
        elif mark == "|":
            self.groups[-1].alternatives += 1
            self._add("|", repeatable=False)
        elif (match := _REPEAT.match(self.pattern, self.place)) is not None:
            self._repeat(match)
        elif mark in "^$":
            end = "$" if self.multiline else r"\Z"
            self._add("^" if mark == "^" else end)
            self.is_assertion = True
        else:
            self._add("." if mark == "." else re.escape(mark))

    def _add(self, made: str, size: int = 1, repeatable: bool = True) -> None:
        self.made.append(made)
        self.place += size
        self.last, self.repeatable = None, repeatable
        self.is_assertion = self.is_start = False

    def _escape(self) -> None:
        mark = self.pattern[self.place + 1 : self.place + 2]
        if mark == "Q":
            end = self.pattern.find(r"\E", self.place)
            end = len(self.pattern) if end < 0 else end
            literal = self.pattern[self.place + 2 : end]
            size = len(literal) + (4 if end < len(self.pattern) else 2)
            if literal:
                self._add(re.escape(literal), size)
            else:
                self.place += size
            return
        made, size = _escaped(self.pattern, self.place)
        self._add({r"\s": f"[{_SPACE}]", r"\S": f"[^{_SPACE}]"}.get(made, made), size)
        self.is_assertion = mark in _ASSERTIONS

    def _class(self) -> None:
        made, end = _class(self.pattern, self.place)
        self._add(made, end - self.place)

    def _open(self) -> None:
        match = _OPENING.match(self.pattern, self.place)
        if match is None or (self.pattern.startswith("(?", self.place) and match[0] == "("):
            raise BadPatternError("a group that RE2 has not")
        name, flags, sign = match.groups()
        if flags is not None and {"U", "-"} & set(flags):
            raise _unlike(self.pattern)
        self.multiline |= "m" in (flags or "")
        if sign == ")":
            if not self.is_start:
                raise _unlike(self.pattern)
            self.groups[-1].closing += ")"
            self._add(f"(?{flags}:" if flags else "(?:", len(match[0]))
            self.is_start = self.is_assertion = True
            return
        self.groups.append(_Group())
        made = f"(?P<{name}>" if name else "(" if flags is None else f"(?{flags}:"
        self._add(made, len(match[0]), repeatable=False)
        self.is_start = True

    def _end_group(self) -> None:
        group = self.groups.pop()
        if group.alternatives > 1:
            self.factors.append(group.alternatives)
            group.varies = True
        self._add(group.closing)
        self.last = group
        if self.groups:
            self.groups[-1].varies |= group.varies

    def _repeat(self, match: re.Match[str]) -> None:
        if not self.repeatable:
            raise BadPatternError("nothing to repeat")
        if self.is_assertion:
            raise _unlike(self.pattern)
        least, most = _bounds(match)
        if least != most:
            if self.last and self.last.varies:
                raise _unlike(self.pattern)
            self.factors.append(0 if most is None else most - least + 1)
            self.groups[-1].varies = True
        elif self.last and self.last.varies:
            self.factors += [0] * (most or 0)
        self._add(match[0], len(match[0]), repeatable=False)


def _bounds(match: re.Match[str]) -> tuple[int, int | None]:
    if match[1] in {"*", "+", "?"}:
        return int(match[1] == "+"), 1 if match[1] == "?" else None
    least = int(match[2])
    most = least if match[3] is None else int(match[4]) if match[4] else None
    if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
        raise BadPatternError("bad repetition")
    return least, most


def _escaped(pattern: str, place: int) -> tuple[str, int]:
    """Return Python's escape for RE2's, and how long RE2's is."""
    mark = pattern[place + 1 : place + 2]
    if mark and mark in "dDwWsSbBAafntrv":
        return f"\\{mark}", 2
    if mark == "z":
        return r"\Z", 2
    if mark == "x":
        match = _HEX.match(pattern, place)
        if match and (code := int(match[1] or match[2], 16)) <= _LARGEST_CODE:
            return re.escape(chr(code)), len(match[0])
        raise BadPatternError("bad escape")
    if mark in {"p", "P", "C", "0"} or _OCTAL.match(pattern, place):
        raise _unlike(pattern)
    if not mark or not mark.isascii() or mark.isalnum():
        raise BadPatternError("bad escape")
    return re.escape(mark), 2


def _class_part(pattern: str, place: int) -> tuple[str, int]:
    """Return a character of a class, or a class by its name, and how long it is."""
    if place >= len(pattern):
        raise BadPatternError("missing ]")
    named = _NAMED_CLASS.match(pattern, place)
    if named:
        if named[2] not in _CLASSES:
            raise BadPatternError("unknown class")
        if named[1]:
            raise _unlike(pattern)
        return _CLASSES[named[2]], len(named[0])
    if pattern[place] != "\\":
        return re.escape(pattern[place]), 1
    if pattern[place + 1 : place + 2] in _ASSERTIONS:
        raise BadPatternError("bad escape")
    made, size = _escaped(pattern, place)
    return {r"\s": _SPACE, r"\S": _NO_SPACE}.get(made, made), size


def _is_one(made: str) -> bool:
    """Whether a part of a class is a single character."""
    return len(made) == 1 or (len(made) == 2 and made[1] not in "dDwW")  # noqa: PLR2004  - escaped


def _class(pattern: str, start: int) -> tuple[str, int]:
    """Return a class of characters in Python's syntax, and where it ends."""
    place = start + 1
    made = ["["]
    if pattern.startswith("^", place):
        made.append("^")
        place += 1
    first = place
    while place == first or not pattern.startswith("]", place):
        found, size = _class_part(pattern, place)
        # Between two characters a dash makes a range; elsewhere RE2 and Python do not agree.
        if pattern[place] == "-" and place != first and not pattern.startswith("]", place + 1):
            raise _unlike(pattern)
        place += size
        made.append(found)
        is_range = pattern.startswith("-", place) and not pattern.startswith("]", place + 1)
        if is_range and _is_one(found):
            found, size = _class_part(pattern, place + 1)
            if not _is_one(found):
                raise BadPatternError("bad range")
            made.append(f"-{found}")
            place += size + 1
    return "".join([*made, "]"]), place + 1


@lru_cache(maxsize=1000)
def _translated(pattern: str) -> tuple[re.Pattern[str], tuple[int, ...]]:
    translation = _Translation(pattern)
    translation.run()
    try:
        return re.compile("".join(translation.made), re.ASCII), tuple(translation.factors)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPatternError(str(error)) from None


def translated(pattern: str, text: str) -> re.Pattern[str]:
    """Return a pattern to search a text with.

    Raises BadPatternError for a pattern that RE2 refuses, and NotComputedError for one that RE2
    accepts and Python does not, or that might take Python longer than a second.
    """
    compiled, factors = _translated(pattern)
    steps = (len(text) + 1) * prod(factor or len(text) + 1 for factor in factors)
    folds = "(?i" in pattern and not (pattern.isascii() and text.isascii())
    if steps > _MOST_STEPS or folds:
        raise NotComputedError(f"the regular expression {pattern!r} in so long a text: {REMEDY}")
    return compiled
