"""Functions that count, rank and average."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.entry import understand

from .arguments import (
    BAD_NUMBER,
    DIVISION,
    NOT_AVAILABLE,
    Area,
    EvaluationError,
    Function,
    area_of,
    every,
    is_number,
    number,
    numbers,
    whole,
)
from .operators import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument


def _count(values: Sequence[Argument]) -> int:
    return sum(
        sum(map(is_number, value.values()))
        if isinstance(value, Area)
        else isinstance(value, (int, float))
        or (isinstance(value, str) and is_number(understand(value).value))
        for value in values
    )


def _count_blank(values: Sequence[Argument]) -> int:
    areas = [area_of(value) for value in values]
    size = sum(area.height * area.width for area in areas)
    return size - sum(value != "" for value in every(areas))


def _average(values: Sequence[Argument]) -> float:
    found = numbers(values)
    return divide(sum(found), len(found))


def _of_enough(compute: Callable[[list[float]], float], least: int) -> Function:
    def checked(values: Sequence[Argument]) -> float:
        found = numbers(values)
        if len(found) < least:
            raise EvaluationError(DIVISION if least > 1 else BAD_NUMBER)
        return compute(found)

    return Function(checked, 1, None)


def _nth(values: Sequence[Argument], largest: bool) -> float:
    found, place = sorted(numbers(values[:1]), reverse=largest), whole(values[1])
    if not 1 <= place <= len(found):
        raise EvaluationError(BAD_NUMBER)
    return found[place - 1]


def _rank(values: Sequence[Argument]) -> int:
    value, found = number(values[0]), numbers(values[1:2])
    if value not in found:
        raise EvaluationError(NOT_AVAILABLE)
    rising = len(values) > 2 and bool(number(values[2]))  # noqa: PLR2004  - the third one
    return 1 + sum(other < value if rising else other > value for other in found)


_STDEV = _of_enough(statistics.stdev, 2)
_VARIANCE = _of_enough(statistics.variance, 2)
_STDEV_ALL = _of_enough(statistics.pstdev, 1)
_VARIANCE_ALL = _of_enough(statistics.pvariance, 1)
STATISTIC: dict[str, Function] = {
    "AVERAGE": Function(_average, 1, None),
    "MIN": Function(lambda values: min(numbers(values), default=0), 1, None),
    "MAX": Function(lambda values: max(numbers(values), default=0), 1, None),
    "COUNT": Function(_count, 1, None),
    "COUNTA": Function(lambda values: sum(1 for _ in every(values)), 1, None),
    "COUNTBLANK": Function(_count_blank, 1, None),
    "COUNTUNIQUE": Function(lambda values: len(set(every(values))), 1, None),
    "MEDIAN": _of_enough(statistics.median, 1),
    "STDEV": _STDEV,
    "STDEV.S": _STDEV,
    "STDEVP": _STDEV_ALL,
    "STDEV.P": _STDEV_ALL,
    "VAR": _VARIANCE,
    "VAR.S": _VARIANCE,
    "VARP": _VARIANCE_ALL,
    "VAR.P": _VARIANCE_ALL,
    "LARGE": Function(lambda values: _nth(values, largest=True), 2, 2),
    "SMALL": Function(lambda values: _nth(values, largest=False), 2, 2),
    "RANK": Function(_rank, 2, 3),
    "RANK.EQ": Function(_rank, 2, 3),
}
