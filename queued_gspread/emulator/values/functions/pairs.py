"""Functions of two ranges whose values form pairs."""

from __future__ import annotations

import math
import statistics
from itertools import chain
from typing import TYPE_CHECKING

from .arguments import (
    DIVISION,
    NOT_AVAILABLE,
    EvaluationError,
    Function,
    area_of,
    is_number,
    number,
    numbers,
    real,
)
from .operators import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument


def _pairs(one: Argument, other: Argument, least: int = 1) -> list[tuple[float, float]]:
    """Return the pairs of numbers of two ranges."""
    left, right = area_of(one), area_of(other)
    if (left.height, left.width) != (right.height, right.width):
        raise EvaluationError(NOT_AVAILABLE)
    cells = zip(chain(*left.rows()), chain(*right.rows()), strict=True)
    numbers([one, other])
    found = [(number(a), number(b)) for a, b in cells if is_number(a) and is_number(b)]
    if len(found) < least:
        raise EvaluationError(DIVISION)
    return found


def _sums(pairs: list[tuple[float, float]]) -> tuple[float, float, float, float, float]:
    """Return both means, and the sums of squares and products about them."""
    xs, ys = zip(*pairs, strict=True)
    x, y = statistics.fmean(xs), statistics.fmean(ys)
    return (
        x,
        y,
        math.fsum((a - x) ** 2 for a in xs),
        math.fsum((b - y) ** 2 for b in ys),
        math.fsum((a - x) * (b - y) for a, b in pairs),
    )


def _correlation(values: Sequence[Argument]) -> float:
    _, _, xx, yy, xy = _sums(_pairs(values[0], values[1], 2))
    return divide(xy, math.sqrt(xx * yy))


def _line(ys: Argument, xs: Argument) -> tuple[float, float]:
    """Return the slope and the height at 0 of the line through pairs."""
    x, y, xx, _, xy = _sums(_pairs(xs, ys, 2))
    slope = divide(xy, xx)
    return slope, y - slope * x


def _forecast(values: Sequence[Argument]) -> float:
    slope, height = _line(values[1], values[2])
    return height + slope * number(values[0])


def _error_of_line(values: Sequence[Argument]) -> float:
    pairs = _pairs(values[1], values[0], 3)
    _, _, xx, yy, xy = _sums(pairs)
    return math.sqrt((yy - divide(xy * xy, xx)) / (len(pairs) - 2))


def _covariance(sample: bool) -> Function:
    def compute(values: Sequence[Argument]) -> float:
        pairs = _pairs(values[0], values[1], 1 + sample)
        return divide(_sums(pairs)[4], len(pairs) - sample)

    return Function(compute, 2, 2)


def _paired(compute: Callable[[float, float], float]) -> Function:
    return Function(
        lambda values: real(math.fsum(compute(a, b) for a, b in _pairs(values[0], values[1]))), 2, 2
    )


def _weighted(values: Sequence[Argument]) -> float:
    if len(values) % 2:
        raise EvaluationError(NOT_AVAILABLE)
    ranges = zip(values[::2], values[1::2], strict=True)
    pairs = [pair for some, weights in ranges for pair in _pairs(some, weights)]
    return divide(math.fsum(a * b for a, b in pairs), math.fsum(b for _, b in pairs))


_FORECAST, _CORRELATION = Function(_forecast, 3, 3), Function(_correlation, 2, 2)
PAIRS: dict[str, Function] = {
    "AVERAGE.WEIGHTED": Function(_weighted, 2, None),
    "CORREL": _CORRELATION,
    "PEARSON": _CORRELATION,
    "RSQ": Function(lambda values: _correlation(values) ** 2, 2, 2),
    "SLOPE": Function(lambda values: _line(values[0], values[1])[0], 2, 2),
    "INTERCEPT": Function(lambda values: _line(values[0], values[1])[1], 2, 2),
    "FORECAST": _FORECAST,
    "FORECAST.LINEAR": _FORECAST,
    "STEYX": Function(_error_of_line, 2, 2),
    "COVAR": _covariance(sample=False),
    "COVARIANCE.P": _covariance(sample=False),
    "COVARIANCE.S": _covariance(sample=True),
    "SUMX2MY2": _paired(lambda a, b: a * a - b * b),
    "SUMX2PY2": _paired(lambda a, b: a * a + b * b),
    "SUMXMY2": _paired(lambda a, b: (a - b) ** 2),
}
