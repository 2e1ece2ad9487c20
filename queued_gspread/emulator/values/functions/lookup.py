"""Functions that find values in ranges."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import column_letters
from queued_gspread.emulator.book.cell import CellError

from .arguments import (
    BAD_NUMBER,
    BAD_REFERENCE,
    NOT_AVAILABLE,
    WRONG_TYPE,
    EvaluationError,
    Function,
    area_of,
    optional,
    rank,
    sound,
    text,
    truth,
    whole,
)
from .wildcards import Wildcard

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

_BEFORE, _AFTER = -1, 1


def _exact(wanted: Value, line: Sequence[Value], wildcards: bool) -> int | None:
    if isinstance(wanted, str) and wildcards and any(mark in wanted for mark in "*?~"):
        wildcard = Wildcard(wanted)
        places = (p for p, v in enumerate(line) if isinstance(v, str) and wildcard.is_all_of(v))
        return next(places, None)
    key = rank(wanted)
    for place, value in enumerate(line):
        if value is not None and not isinstance(value, CellError) and rank(value) == key:
            return place
    return None


def _sorted(wanted: Value, line: Sequence[Value]) -> int | None:
    """Return the place of the last value of a sorted line that is not larger, by its kind."""
    key = rank(wanted)
    alike = [
        (rank(value), place)
        for place, value in enumerate(line)
        if value is not None and not isinstance(value, CellError) and rank(value)[0] == key[0]
    ]
    found = bisect_right([each for each, _ in alike], key)
    return alike[found - 1][1] if found else None


def _place(wanted: Value, line: Sequence[Value], is_sorted: bool) -> int:
    place = _sorted(wanted, line) if is_sorted else _exact(wanted, line, wildcards=True)
    if place is None:
        raise EvaluationError(NOT_AVAILABLE)
    return place


def _is_sorted(values: Sequence[Argument]) -> bool:
    return len(values) < 4 or truth(values[3])  # noqa: PLR2004  - the fourth one


def _vertical(values: Sequence[Argument]) -> Value:
    area, index = area_of(values[1]), whole(values[2])
    _check_index(index, area.width)
    row = _place(sound(values[0]), list(area.column(0).values()), _is_sorted(values))
    return area.at(row, index - 1)


def _horizontal(values: Sequence[Argument]) -> Value:
    area, index = area_of(values[1]), whole(values[2])
    _check_index(index, area.height)
    column = _place(sound(values[0]), area.row(0).line(), _is_sorted(values))
    return area.at(index - 1, column)


def _check_index(index: int, size: int) -> None:
    if index < 1:
        raise EvaluationError(WRONG_TYPE)
    if index > size:
        raise EvaluationError(BAD_REFERENCE)


def _match(values: Sequence[Argument]) -> int:
    wanted, line = sound(values[0]), area_of(values[1]).line()
    kind = whole(values[2]) if len(values) > 2 else 1  # noqa: PLR2004  - the third one
    if kind >= 0:
        return _place(wanted, line, is_sorted=kind > 0) + 1
    key = rank(wanted)
    alike = (p for p, v in enumerate(line) if v is not None and rank(v)[0] == key[0])
    larger = [place for place in alike if rank(line[place]) >= key]
    if not larger:
        raise EvaluationError(NOT_AVAILABLE)
    return larger[-1] + 1


def _index(values: Sequence[Argument]) -> Argument:
    area = area_of(values[0])
    row = whole(values[1]) if len(values) > 1 else 0
    column = whole(values[2]) if len(values) > 2 else 0  # noqa: PLR2004  - the third one
    if area.height == 1 and len(values) == 2:  # noqa: PLR2004  - of a single row, the column
        row, column = 0, row
    if row < 0 or column < 0:
        raise EvaluationError(BAD_NUMBER)
    if row > area.height or column > area.width:
        raise EvaluationError(BAD_REFERENCE)
    if row and column:
        return area.at(row - 1, column - 1)
    chosen = area.row(row - 1) if row else area
    return chosen.column(column - 1) if column else chosen


def _flexible(values: Sequence[Argument]) -> Argument:
    """Compute XLOOKUP; its search modes from the last and by halves find the same or the last."""
    wanted, line, result = sound(values[0]), area_of(values[1]).line(), area_of(values[2])
    mode = whole(values[4]) if len(values) > 4 else 0  # noqa: PLR2004  - the fifth one
    backwards = len(values) > 5 and whole(values[5]) == -1  # noqa: PLR2004  - the sixth one
    place = _nearest(wanted, line, mode, backwards=backwards)
    if place is None:
        if len(values) < 4 or values[3] is None:  # noqa: PLR2004  - the fourth one
            raise EvaluationError(NOT_AVAILABLE)
        return values[3]
    across = area_of(values[1]).height == 1 and len(line) > 1
    if place >= (result.width if across else result.height):
        raise EvaluationError(WRONG_TYPE)
    return result.column(place) if across else result.row(place)


def _flexible_match(values: Sequence[Argument]) -> int:
    wanted, line = sound(values[0]), area_of(values[1]).line()
    mode, backwards = math.trunc(optional(values, 2, 0)), optional(values, 3, 1) == -1
    place = _nearest(wanted, line, mode, backwards=backwards)
    if place is None:
        raise EvaluationError(NOT_AVAILABLE)
    return place + 1


def _looked_up(values: Sequence[Argument]) -> Value:
    """Compute LOOKUP; without a range for results, they are in the last row or column."""
    wanted, area = sound(values[0]), area_of(values[1])
    if len(values) == 3:  # noqa: PLR2004  - a range for results
        line, results = area.line(), area_of(values[2]).line()
    elif area.width > area.height:
        line, results = area.row(0).line(), area.row(area.height - 1).line()
    else:
        line, results = area.column(0).line(), area.column(area.width - 1).line()
    place = _place(wanted, line, is_sorted=True)
    if place >= len(results):
        raise EvaluationError(NOT_AVAILABLE)
    return results[place]


def _address(values: Sequence[Argument]) -> str:
    row, column, kind = whole(values[0]), whole(values[1]), math.trunc(optional(values, 2, 1))
    if row < 1 or column < 1 or kind not in range(1, 5):
        raise EvaluationError(WRONG_TYPE)
    title = f"{_quoted(text(values[4]))}!" if len(values) > 4 else ""  # noqa: PLR2004  - the fifth
    fixed_row, fixed_column = kind in {1, 2}, kind in {1, 3}
    if len(values) > 3 and values[3] is not None and not truth(values[3]):  # noqa: PLR2004  - it
        parts = ("R", row, fixed_row), ("C", column, fixed_column)
        shown = "".join(f"{m}{at}" if fixed else f"{m}[{at}]" for m, at, fixed in parts)
        return title + shown
    letters = column_letters(column - 1)
    return f"{title}{'$' * fixed_column}{letters}{'$' * fixed_row}{row}"


def _quoted(title: str) -> str:
    return title if re.fullmatch(r"[^\W\d]\w*", title) else "'" + title.replace("'", "''") + "'"


def _nearest(wanted: Value, line: list[Value], mode: int, backwards: bool) -> int | None:
    searched = line[::-1] if backwards else line
    place = _exact(wanted, searched, wildcards=mode == 2)  # noqa: PLR2004  - the mode's number
    if place is None and mode in {_BEFORE, _AFTER}:
        place = _neighbour(wanted, searched, mode)
    return len(line) - 1 - place if place is not None and backwards else place


def _neighbour(wanted: Value, line: list[Value], mode: int) -> int | None:
    key = rank(wanted)
    alike = [p for p, v in enumerate(line) if v is not None and rank(v)[0] == key[0]]
    if mode == _BEFORE:
        smaller = (p for p in alike if rank(line[p]) < key)
        return max(smaller, key=lambda p: rank(line[p]), default=None)
    larger = (p for p in alike if rank(line[p]) > key)
    return min(larger, key=lambda p: rank(line[p]), default=None)


LOOKUP: dict[str, Function] = {
    "VLOOKUP": Function(_vertical, 3, 4),
    "HLOOKUP": Function(_horizontal, 3, 4),
    "XLOOKUP": Function(_flexible, 3, 6),
    "MATCH": Function(_match, 2, 3),
    "XMATCH": Function(_flexible_match, 2, 4),
    "LOOKUP": Function(_looked_up, 2, 3),
    "ADDRESS": Function(_address, 2, 5),
    "INDEX": Function(_index, 1, 3),
    "ROWS": Function(lambda values: area_of(values[0]).height),
    "COLUMNS": Function(lambda values: area_of(values[0]).width),
}
