"""Functions over the cells that meet a criterion: `>5`, `<>done`, `a*`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.comparison import COMPARISONS
from queued_gspread.emulator.values.entry import understand

from .arguments import (
    WRONG_TYPE,
    Area,
    EvaluationError,
    Function,
    area_of,
    is_number,
    numbers,
    scalar,
)
from .operators import divide
from .wildcards import Wildcard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

_CRITERION = re.compile(r"(<=|>=|<>|<|>|=)?(.*)", re.DOTALL)


def criterion(argument: Argument) -> Callable[[Value], bool]:
    """Return the test that a criterion stands for."""
    value = scalar(argument)
    if not isinstance(value, str):
        wanted = 0 if value is None else value
        return lambda found: type(found) is not str and found is not None and found == wanted
    match = _CRITERION.fullmatch(value)
    assert match
    sign, operand = match[1] or "=", match[2]
    typed = understand(operand).value
    if isinstance(typed, (bool, int, float)):
        return _typed_test(sign, typed)
    return _text_test(sign, operand, bool(match[1]))


def _typed_test(sign: str, wanted: float) -> Callable[[Value], bool]:
    holds, alike = COMPARISONS[sign], isinstance(wanted, bool)

    def test(found: Value) -> bool:
        comparable = isinstance(found, bool) if alike else is_number(found)
        return holds(found, wanted) if comparable else sign == "<>"

    return test


def _text_test(sign: str, wanted: str, has_sign: bool) -> Callable[[Value], bool]:
    if not wanted:
        # "" is met by what looks empty, "=" by what is, "<>" by what is not.
        empty: tuple[object, ...] = (None,) if has_sign else (None, "")
        return lambda found: (found in empty) == (sign == "=")
    if sign in {"=", "<>"}:
        wildcard = Wildcard(wanted)
        return lambda found: (isinstance(found, str) and wildcard.is_all_of(found)) == (sign == "=")
    holds, folded = COMPARISONS[sign], wanted.casefold()
    return lambda found: isinstance(found, str) and holds(found.casefold(), folded)


def _met(pairs: Sequence[Argument]) -> Iterator[tuple[int, int]]:
    """Yield the places, row by row, at which every range meets its criterion."""
    if len(pairs) % 2:
        raise EvaluationError(WRONG_TYPE)
    areas = [area_of(argument) for argument in pairs[::2]]
    tests = [criterion(argument) for argument in pairs[1::2]]
    first = areas[0]
    if any((area.height, area.width) != (first.height, first.width) for area in areas):
        raise EvaluationError(WRONG_TYPE)
    for row in range(first.height):
        for column in range(first.width):
            if all(test(area.at(row, column)) for area, test in zip(areas, tests, strict=True)):
                yield row, column


def _count_if(values: Sequence[Argument]) -> int:
    return sum(1 for _ in _met(values))


def _chosen(area: Area, pairs: Sequence[Argument]) -> list[float]:
    """Return the numbers of a range beside the places that are met."""
    places = _met(pairs)
    inside = ((r, c) for r, c in places if c < area.width)
    return numbers(Area([[area.at(row, column)]], 1) for row, column in inside)


def _single(compute: Callable[[list[float]], float]) -> Function:
    """Return a function of a range, a criterion and, if it is another, the range to compute."""
    return Function(
        lambda values: compute(_chosen(area_of(values[-1 if values[2:] else 0]), values[:2])), 2, 3
    )


def _several(compute: Callable[[list[float]], float]) -> Function:
    """Return a function of the range to compute and of pairs of ranges and criteria."""
    return Function(lambda values: compute(_chosen(area_of(values[0]), values[1:])), 3, None)


def _average(found: list[float]) -> float:
    return divide(sum(found), len(found))


def _count_unique(values: Sequence[Argument]) -> int:
    area = area_of(values[0])
    found = {area.at(row, column) for row, column in _met(values[1:]) if column < area.width}
    return len(found - {None})


def _percent_if(values: Sequence[Argument]) -> float:
    area = area_of(values[0])
    return divide(_count_if(values), area.height * area.width)


CRITERIA: dict[str, Function] = {
    "COUNTIF": Function(_count_if, 2, 2),
    "COUNTIFS": Function(_count_if, 2, None),
    "COUNTUNIQUEIFS": Function(_count_unique, 3, None),
    "PERCENTIF": Function(_percent_if, 2, 2),
    "SUMIF": _single(sum),
    "SUMIFS": _several(sum),
    "AVERAGEIF": _single(_average),
    "AVERAGEIFS": _several(_average),
    "MAXIFS": _several(lambda found: max(found, default=0)),
    "MINIFS": _several(lambda found: min(found, default=0)),
}
