"""Functions that make arrays, and arrange, choose or sort their values."""

from __future__ import annotations

import math
import re
from functools import cmp_to_key
from itertools import zip_longest
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.book.not_computed import NotComputedError
from queued_gspread.emulator.values.entry import understand

from .arguments import (
    BAD_NUMBER,
    LARGEST_ARRAY,
    NOT_AVAILABLE,
    WRONG_TYPE,
    Area,
    EvaluationError,
    Function,
    area_of,
    array,
    check_size,
    number,
    optional,
    rank,
    text,
    truth,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

    Rows = list[list[Value]]


def rows_of(argument: Argument) -> Rows:
    """Return the rows of a range or an array; a single value is one row of one."""
    return area_of(argument).rows()


def stacked(parts: Sequence[Argument], down: bool) -> Area:
    """Return parts below or beside each other; raise `#VALUE!` if they do not fit."""
    blocks = [rows_of(part) for part in parts]
    if down:
        if len({len(block[0]) for block in blocks}) > 1:
            raise EvaluationError(WRONG_TYPE)
        return array([row for block in blocks for row in block])
    if len({len(block) for block in blocks}) > 1:
        raise EvaluationError(WRONG_TYPE)
    return array([[v for row in line for v in row] for line in zip(*blocks, strict=True)])


def _stack_down(values: Sequence[Argument]) -> Area:
    """Compute VSTACK, which fills narrower parts with `#N/A`."""
    rows = [row for value in values for row in rows_of(value)]
    width = max(map(len, rows))
    return array([[*row, *[NOT_AVAILABLE] * (width - len(row))] for row in rows])


def _stack_beside(values: Sequence[Argument]) -> Area:
    return _transposed(_stack_down([_transposed(area_of(value)) for value in values]))


def _transposed(area: Area) -> Area:
    return array(list(zip(*area.rows(), strict=True)))


def _flat(values: Sequence[Argument]) -> list[Value]:
    return [value for argument in values for row in rows_of(argument) for value in row]


def _sequence(values: Sequence[Argument]) -> Area:
    rows, columns = whole(values[0]), math.trunc(optional(values, 1, 1))
    start, step = optional(values, 2, 1), optional(values, 3, 1)
    if rows < 1 or columns < 1:
        raise EvaluationError(BAD_NUMBER)
    check_size(rows, columns)
    return array(
        [[start + step * (row * columns + c) for c in range(columns)] for row in range(rows)]
    )


def _key(value: Value) -> object:
    if isinstance(value, CellError):
        return value
    # Of texts that differ in case only each is its own, as of numbers and texts that look alike.
    return type(value) if value is None else (rank(value)[0], value)


def _unique(values: Sequence[Argument]) -> Area:
    by_column = len(values) > 1 and values[1] is not None and truth(values[1])
    once = len(values) > 2 and values[2] is not None and truth(values[2])  # noqa: PLR2004  - the third
    area = area_of(values[0])
    rows = (_transposed(area) if by_column else area).rows()
    counts: dict[tuple[object, ...], int] = {}
    for row in rows:
        key = tuple(map(_key, row))
        counts[key] = counts.get(key, 0) + 1
    kept, seen = [], set[object]()
    for row in rows:
        key = tuple(map(_key, row))
        if key not in seen and not (once and counts[key] > 1):
            kept.append(row)
        seen.add(key)
    found = array(kept)
    return _transposed(found) if by_column else found


def _filter(values: Sequence[Argument]) -> Area:
    area, conditions = area_of(values[0]), [area_of(value) for value in values[1:]]
    first = conditions[0]
    across = first.height == 1 and first.width == area.width > 1
    rows = (_transposed(area) if across else area).rows()
    lines = [condition.line() for condition in conditions]
    if any(len(line) != len(rows) for line in lines):
        raise EvaluationError(NOT_AVAILABLE)
    met = [all(_holds(value) for value in line) for line in zip(*lines, strict=True)]
    found = array([row for row, holds in zip(rows, met, strict=True) if holds])
    return _transposed(found) if across else found


def _holds(value: Value) -> bool:
    """Whether a condition is met; an error or a text is not."""
    return bool(value) and isinstance(value, (bool, int, float))


def _sort(values: Sequence[Argument]) -> Area:
    rows = rows_of(values[0])
    pairs = [*values[1:]] or [1, True]
    if len(pairs) % 2:
        pairs.append(True)
    orders: list[tuple[list[Value], bool]] = []
    for column, rising in zip(pairs[::2], pairs[1::2], strict=True):
        if isinstance(column, Area) and column.height * column.width > 1:
            keys = column.line()
        else:
            place = whole(column)
            if not 1 <= place <= len(rows[0]):
                raise EvaluationError(WRONG_TYPE)
            keys = [row[place - 1] for row in rows]
        if len(keys) != len(rows):
            raise EvaluationError(WRONG_TYPE)
        orders.append((keys, truth(rising)))
    places = list(range(len(rows)))
    for keys, rising in reversed(orders):
        places = _ordered(places, keys, rising)
    return array([rows[place] for place in places])


def _ordered(places: list[int], keys: list[Value], rising: bool) -> list[int]:
    """Sort places by their keys, blank ones last either way."""
    filled = [place for place in places if keys[place] is not None]
    blank = [place for place in places if keys[place] is None]

    def compare(one: int, other: int) -> int:
        a, b = _order(keys[one]), _order(keys[other])
        return ((a > b) - (a < b)) * (1 if rising else -1)

    return sorted(filled, key=cmp_to_key(compare)) + blank


def _order(value: Value) -> tuple[int, float | str]:
    return (3, value.code) if isinstance(value, CellError) else rank(value)


def _split(values: Sequence[Argument]) -> Area:
    whole_text, delimiter = text(values[0]), text(values[1])
    if not delimiter:
        raise EvaluationError(WRONG_TYPE)
    each = len(values) < 3 or values[2] is None or truth(values[2])  # noqa: PLR2004  - the third
    drops = len(values) < 4 or values[3] is None or truth(values[3])  # noqa: PLR2004  - the fourth
    marks = f"[{re.escape(delimiter)}]" if each else re.escape(delimiter)
    pieces: Iterable[str] = re.split(marks, whole_text)
    typed = [_typed(piece) for piece in pieces if piece or not drops]
    return array([typed])


def _typed(piece: str) -> Value:
    """Return a piece as if it were typed: a number where it looks like one."""
    return understand(piece).value if piece and piece[0] not in "='+" else piece or None


def _in_line(values: Sequence[Argument]) -> list[Value]:
    """Return the values that TOCOL and TOROW put into a line."""
    ignored, by_column = math.trunc(optional(values, 1, 0)), False
    if len(values) > 2 and values[2] is not None:  # noqa: PLR2004  - the third
        by_column = truth(values[2])
    area = area_of(values[0])
    found = _flat([_transposed(area) if by_column else area])
    if ignored not in range(4):
        raise EvaluationError(WRONG_TYPE)
    if ignored & 1:
        found = [value for value in found if value is not None]
    if ignored & 2:
        found = [value for value in found if not isinstance(value, CellError)]
    return found


def _wrapped(values: Sequence[Argument]) -> Area:
    line, size = area_of(values[0]).line(), whole(values[1])
    if size < 1:
        raise EvaluationError(BAD_NUMBER)
    check_size(1, size)
    pad = values[2] if len(values) > 2 else NOT_AVAILABLE  # noqa: PLR2004  - the third
    if isinstance(pad, Area):
        raise EvaluationError(WRONG_TYPE)
    return array([list(row) for row in zip_longest(*[iter(line)] * size, fillvalue=pad)])


def _chosen(rows: Rows, places: Sequence[Argument]) -> Rows:
    wanted = [place for argument in places for place in _flat([argument])]
    found = []
    for value in wanted:
        place = whole(value)
        if not 1 <= abs(place) <= len(rows):
            raise EvaluationError(WRONG_TYPE)
        found.append(rows[place - 1 if place > 0 else place])
    return found


def _choose_columns(values: Sequence[Argument]) -> Area:
    columns = _transposed(area_of(values[0])).rows()
    return _transposed(array(_chosen(columns, values[1:])))


def _constrained(values: Sequence[Argument]) -> Area:
    rows, columns = whole(values[1]), whole(values[2])
    if rows < 1 or columns < 1:
        raise EvaluationError(BAD_NUMBER)
    return array([row[:columns] for row in rows_of(values[0])[:rows]])


def _product(values: Sequence[Argument]) -> Area:
    left, right = rows_of(values[0]), rows_of(values[1])
    if len(left[0]) != len(right):
        raise EvaluationError(WRONG_TYPE)
    columns = list(zip(*right, strict=True))
    if len(left) * len(right) * len(columns) > LARGEST_ARRAY:
        raise NotComputedError(f"MMULT of more than {LARGEST_ARRAY} products")
    return array(
        [
            [
                math.fsum(number(a) * number(b) for a, b in zip(row, column, strict=True))
                for column in columns
            ]
            for row in left
        ]
    )


SHAPES: dict[str, Function] = {
    "TRANSPOSE": Function(lambda values: _transposed(area_of(values[0]))),
    "FLATTEN": Function(lambda values: array([[value] for value in _flat(values)]), 1, None),
    "SEQUENCE": Function(_sequence, 1, 4),
    "UNIQUE": Function(_unique, 1, 3),
    "FILTER": Function(_filter, 2, None),
    "SORT": Function(_sort, 1, None),
    "SPLIT": Function(_split, 2, 4),
    "HSTACK": Function(_stack_beside, 1, None),
    "VSTACK": Function(_stack_down, 1, None),
    "TOCOL": Function(lambda values: array([[value] for value in _in_line(values)]), 1, 3),
    "TOROW": Function(lambda values: array([_in_line(values)]), 1, 3),
    "WRAPROWS": Function(_wrapped, 2, 3),
    "WRAPCOLS": Function(lambda values: _transposed(_wrapped(values)), 2, 3),
    "CHOOSEROWS": Function(lambda values: array(_chosen(rows_of(values[0]), values[1:])), 2, None),
    "CHOOSECOLS": Function(_choose_columns, 2, None),
    "ARRAY_CONSTRAIN": Function(_constrained, 3, 3),
    "MMULT": Function(_product, 2, 2),
}
