"""Functions of texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import LONGEST
from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.moments import is_moment_pattern
from queued_gspread.emulator.values.patterns import LONGEST_PATTERN, show_number

from .arguments import (
    BAD_NUMBER,
    WRONG_TYPE,
    Area,
    EvaluationError,
    Function,
    every,
    is_number,
    joined,
    number,
    sound,
    text,
    truth,
    whole,
)
from .wildcards import Wildcard

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

_LARGEST_CODE = 0x10FFFF
# Halves of surrogate pairs, which no text may have on their own.
_SURROGATES = range(0xD800, 0xE000)


def _units(argument: Argument) -> str:
    """Return a text with a character for each unit of UTF-16, as Google counts: 😀 has two."""
    found = text(argument)
    if found.isascii() or max(found) < "\U00010000":
        return found
    pairs = found.encode("utf-16-le", "surrogatepass")
    return "".join(chr(low | high << 8) for low, high in zip(pairs[::2], pairs[1::2], strict=True))


def _of_units(units: str) -> str:
    try:
        return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError:
        raise NotComputedError("halves of characters") from None


def _size(values: Sequence[Argument], place: int, usual: int) -> int:
    """Return an argument that counts characters, or its default."""
    size = whole(values[place]) if len(values) > place else usual
    if size < 0:
        raise EvaluationError(WRONG_TYPE)
    return size


def _right(values: Sequence[Argument]) -> str:
    units = _units(values[0])
    return _of_units(units[max(len(units) - _size(values, 1, 1), 0) :])


def _middle(values: Sequence[Argument]) -> str:
    start = _position(values, 1)
    return _of_units(_units(values[0])[start : start + _size(values, 2, 0)])


def _position(values: Sequence[Argument], place: int) -> int:
    """Return a one-based position as a zero-based one."""
    position = _size(values, place, 1)
    if position < 1:
        raise EvaluationError(WRONG_TYPE)
    return position - 1


def _find(values: Sequence[Argument]) -> int:
    found = _units(values[1]).find(_units(values[0]), _position(values, 2))
    if found < 0:
        raise EvaluationError(WRONG_TYPE)
    return found + 1


def _search(values: Sequence[Argument]) -> int:
    found = Wildcard(_units(values[0])).find(_units(values[1]), _position(values, 2))
    if found < 0:
        raise EvaluationError(WRONG_TYPE)
    return found + 1


def _substitute(values: Sequence[Argument]) -> str:
    whole_text, old, new = (text(value) for value in values[:3])
    if not old:
        return whole_text
    if len(values) == 3:  # noqa: PLR2004  - every occurrence
        return joined(whole_text.split(old), new)
    parts, which = whole_text.split(old), _size(values, 3, 1)
    if not 1 <= which < len(parts):
        return whole_text
    return old.join(parts[:which]) + new + old.join(parts[which:])


def _replace(values: Sequence[Argument]) -> str:
    old, start = _units(values[0]), _position(values, 1)
    return _of_units(old[:start] + _units(values[3]) + old[start + _size(values, 2, 0) :])


def _repeat(values: Sequence[Argument]) -> str:
    repeated, times = text(values[0]), _size(values, 1, 0)
    if len(repeated) * times > LONGEST:
        raise EvaluationError(WRONG_TYPE)
    return repeated * times


def _proper(values: Sequence[Argument]) -> str:
    return re.sub(r"[^\W\d_]+", lambda match: match[0].capitalize(), text(values[0]))


def _pieces(values: Sequence[Argument]) -> Iterator[Value]:
    for value in values:
        if isinstance(value, Area):
            yield from value.values()
        else:
            yield value


def _join(values: Sequence[Argument]) -> str:
    return joined(map(text, _pieces(values[1:])), text(values[0]))


def _text_join(values: Sequence[Argument]) -> str:
    shown = map(text, _pieces(values[2:]))
    kept = (piece for piece in shown if piece) if truth(values[1]) else shown
    return joined(kept, text(values[0]))


def _character(values: Sequence[Argument]) -> str:
    code = whole(values[0])
    if not 1 <= code <= _LARGEST_CODE or code in _SURROGATES:
        raise EvaluationError(BAD_NUMBER)
    return chr(code)


def _code(values: Sequence[Argument]) -> int:
    first = text(values[0])[:1]
    if not first:
        raise EvaluationError(WRONG_TYPE)
    return ord(first)


def _formatted(values: Sequence[Argument]) -> str:
    value, pattern = sound(values[0]), text(values[1])
    if len(pattern) > LONGEST_PATTERN:
        raise EvaluationError(WRONG_TYPE)
    if isinstance(value, bool) or (isinstance(value, str) and not _reads_as_number(value)):
        return text(value)
    kind = "DATE_TIME" if is_moment_pattern(pattern) else "NUMBER"
    return show_number(number(value), {"type": kind, "pattern": pattern})


def _reads_as_number(value: str) -> bool:
    try:
        return is_number(number(value))
    except EvaluationError:
        return False


def _concatenated(values: Sequence[Argument]) -> str:
    return joined(map(text, every(values)))


TEXTS: dict[str, Function] = {
    "LEN": Function(lambda values: len(_units(values[0]))),
    "UPPER": Function(lambda values: text(values[0]).upper()),
    "LOWER": Function(lambda values: text(values[0]).lower()),
    "PROPER": Function(_proper),
    "TRIM": Function(lambda values: re.sub(" +", " ", text(values[0]).strip(" "))),
    "CONCATENATE": Function(_concatenated, 1, None),
    "CONCAT": Function(_concatenated, 2, 2),
    "JOIN": Function(_join, 2, None),
    "TEXTJOIN": Function(_text_join, 3, None),
    "LEFT": Function(lambda values: _of_units(_units(values[0])[: _size(values, 1, 1)]), 1, 2),
    "RIGHT": Function(_right, 1, 2),
    "MID": Function(_middle, 3, 3),
    "FIND": Function(_find, 2, 3),
    "SEARCH": Function(_search, 2, 3),
    "SUBSTITUTE": Function(_substitute, 3, 4),
    "REPLACE": Function(_replace, 4, 4),
    "REPT": Function(_repeat, 2, 2),
    "EXACT": Function(lambda values: text(values[0]) == text(values[1]), 2, 2),
    "CHAR": Function(_character),
    "CODE": Function(_code),
    "UNICHAR": Function(_character),
    "UNICODE": Function(_code),
    "VALUE": Function(lambda values: number(values[0])),
    "TEXT": Function(_formatted, 2, 2),
    "T": Function(lambda values: v if isinstance(v := sound(values[0]), str) else ""),
    "HYPERLINK": Function(lambda values: sound(values[-1]), 1, 2),
}
