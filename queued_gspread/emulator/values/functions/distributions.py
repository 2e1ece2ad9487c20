"""Functions of spread and of order, and of probability distributions."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_right
from itertools import pairwise
from typing import TYPE_CHECKING

from .arguments import (
    BAD_NUMBER,
    DIVISION,
    NOT_AVAILABLE,
    Area,
    EvaluationError,
    Function,
    array,
    every,
    number,
    numbers,
    optional,
    real,
    truth,
    whole,
)
from .operators import divide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument

_QUARTERS = 4


def _found(argument: Argument, least: int = 1) -> list[float]:
    values = sorted(numbers([argument]))
    if len(values) < least:
        raise EvaluationError(BAD_NUMBER)
    return values


def _at(found: list[float], place: float) -> float:
    """Return the value at a place from 0, interpolated between two values."""
    low = math.floor(place)
    high = min(low + 1, len(found) - 1)
    return found[low] + (found[high] - found[low]) * (place - low)


def _percentile(found: list[float], share: float, exclusive: bool) -> float:
    place = share * (len(found) + 1) - 1 if exclusive else share * (len(found) - 1)
    if not 0 <= share <= 1 or not 0 <= place <= len(found) - 1:
        raise EvaluationError(BAD_NUMBER)
    return _at(found, place)


def _share_at(exclusive: bool) -> Function:
    return Function(
        lambda values: _percentile(_found(values[0]), number(values[1]), exclusive), 2, 2
    )


def _quarter(exclusive: bool) -> Function:
    return Function(
        lambda values: _percentile(_found(values[0]), whole(values[1]) / _QUARTERS, exclusive), 2, 2
    )


def _percent_rank(exclusive: bool) -> Function:
    def compute(values: Sequence[Argument]) -> float:
        found, value, digits = _found(values[0]), number(values[1]), optional(values, 2, 3)
        if not found[0] <= value <= found[-1]:
            raise EvaluationError(NOT_AVAILABLE)
        below = sum(other < value for other in found)
        if value not in found:
            low, high = found[below - 1], found[below]
            place = below - 1 + (value - low) / (high - low)
        else:
            place = below
        share = (place + 1) / (len(found) + 1) if exclusive else divide(place, len(found) - 1)
        scale = 10.0 ** math.trunc(digits)
        return math.floor(share * scale + 1e-9) / scale

    return Function(compute, 2, 3)


def _mode(values: Sequence[Argument]) -> float:
    found = numbers(values)
    most = statistics.mode(found) if found else None
    if most is None or found.count(most) == 1:
        raise EvaluationError(NOT_AVAILABLE)
    return most


def _of(compute: Callable[[list[float]], float], least: int = 1) -> Function:
    def checked(values: Sequence[Argument]) -> float:
        found = numbers(values)
        if len(found) < least:
            raise EvaluationError(DIVISION if least > 1 else BAD_NUMBER)
        return real(compute(found))

    return Function(checked, 1, None)


def _positive(compute: Callable[[list[float]], float]) -> Function:
    def checked(found: list[float]) -> float:
        if min(found) <= 0:
            raise EvaluationError(BAD_NUMBER)
        return compute(found)

    return _of(checked)


def _moment(found: list[float], power: int) -> float:
    mean, spread = statistics.fmean(found), statistics.stdev(found)
    return math.fsum(divide(value - mean, spread) ** power for value in found)


def _skew(found: list[float]) -> float:
    count = len(found)
    return _moment(found, 3) * count / ((count - 1) * (count - 2))


def _skew_of_all(found: list[float]) -> float:
    mean, spread = statistics.fmean(found), statistics.pstdev(found)
    return math.fsum(divide(value - mean, spread) ** 3 for value in found) / len(found)


def _kurtosis(found: list[float]) -> float:
    n = len(found)
    scaled = _moment(found, 4) * n * (n + 1) / ((n - 1) * (n - 2) * (n - 3))
    return scaled - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))


def _with_texts(compute: Callable[[list[float]], float], least: int) -> Function:
    """Return a function that takes a text for 0, TRUE for 1 and FALSE for 0."""

    def checked(values: Sequence[Argument]) -> float:
        found = [0.0 if isinstance(v, str) else float(number(v)) for v in every(values)]
        if len(found) < least:
            raise EvaluationError(DIVISION)
        return real(compute(found))

    return Function(checked, 1, None)


def _trimmed(values: Sequence[Argument]) -> float:
    found, share = _found(values[0]), number(values[1])
    if not 0 <= share < 1:
        raise EvaluationError(BAD_NUMBER)
    cut = math.floor(len(found) * share / 2)
    return statistics.fmean(found[cut : len(found) - cut])


def _frequency(values: Sequence[Argument]) -> Area:
    found, bounds = numbers(values[:1]), sorted(numbers(values[1:2]))
    found.sort()
    ends = [0, *(bisect_right(found, bound) for bound in bounds), len(found)]
    return array([[end - start] for start, end in pairwise(ends)])


def _average_rank(values: Sequence[Argument]) -> float:
    value, found = number(values[0]), numbers(values[1:2])
    if value not in found:
        raise EvaluationError(NOT_AVAILABLE)
    rising = bool(optional(values, 2, 0))
    before = sum(other < value if rising else other > value for other in found)
    return before + (found.count(value) + 1) / 2


def _normal(mean: float, spread: float) -> statistics.NormalDist:
    if spread <= 0:
        raise EvaluationError(BAD_NUMBER)
    return statistics.NormalDist(mean, spread)


def _normal_share(values: Sequence[Argument]) -> float:
    x, mean, spread = (number(value) for value in values[:3])
    curve = _normal(mean, spread)
    cumulative = len(values) < 4 or truth(values[3])  # noqa: PLR2004  - the fourth
    return curve.cdf(x) if cumulative else curve.pdf(x)


def _standard_share(values: Sequence[Argument]) -> float:
    return _normal_share([values[0], 0, 1, *values[1:]])


def _normal_inverse(values: Sequence[Argument]) -> float:
    share, mean, spread = [*(number(value) for value in values), 0, 1][:3]
    if not 0 < share < 1:
        raise EvaluationError(BAD_NUMBER)
    return _normal(mean, spread).inv_cdf(share)


def _standardized(values: Sequence[Argument]) -> float:
    value, mean, spread = (number(each) for each in values)
    if spread <= 0:
        raise EvaluationError(BAD_NUMBER)
    return (value - mean) / spread


def _confidence(values: Sequence[Argument]) -> float:
    alpha, spread, size = (number(value) for value in values)
    if not 0 < alpha < 1 or spread <= 0 or size < 1:
        raise EvaluationError(BAD_NUMBER)
    return statistics.NormalDist().inv_cdf(1 - alpha / 2) * spread / math.sqrt(math.trunc(size))


def _binomial(values: Sequence[Argument]) -> float:
    hits, tries, chance = whole(values[0]), whole(values[1]), number(values[2])
    if not 0 <= hits <= tries <= 10_000 or not 0 <= chance <= 1:  # noqa: PLR2004  - sums of terms
        raise EvaluationError(BAD_NUMBER)
    first = 0 if truth(values[3]) else hits
    return math.fsum(
        math.comb(tries, k) * chance**k * (1 - chance) ** (tries - k)
        for k in range(first, hits + 1)
    )


def _poisson(values: Sequence[Argument]) -> float:
    hits, mean = whole(values[0]), number(values[1])
    if not 0 <= hits <= 10_000 or mean < 0:  # noqa: PLR2004  - sums of terms
        raise EvaluationError(BAD_NUMBER)
    first = 0 if truth(values[2]) else hits
    if mean == 0:
        return float(first == 0)
    return math.fsum(
        math.exp(k * math.log(mean) - mean - math.lgamma(k + 1)) for k in range(first, hits + 1)
    )


def _exponential(values: Sequence[Argument]) -> float:
    x, rate = number(values[0]), number(values[1])
    if x < 0 or rate <= 0:
        raise EvaluationError(BAD_NUMBER)
    return 1 - math.exp(-rate * x) if truth(values[2]) else rate * math.exp(-rate * x)


def _error_function(values: Sequence[Argument]) -> float:
    low = math.erf(number(values[0]))
    return math.erf(number(values[1])) - low if len(values) > 1 else low


def _one(compute: Callable[[float], float]) -> Function:
    return Function(lambda values: real(compute(number(values[0]))))


def _deviations(found: list[float]) -> list[float]:
    mean = statistics.fmean(found)
    return [value - mean for value in found]


_NORMAL_INVERSE = Function(_normal_inverse, 3, 3)
_STANDARD_INVERSE = Function(_normal_inverse, 1, 1)
_BINOMIAL, _POISSON = Function(_binomial, 4, 4), Function(_poisson, 3, 3)
_EXPONENTIAL, _MODE = Function(_exponential, 3, 3), Function(_mode, 1, None)
_CONFIDENCE = Function(_confidence, 3, 3)
DISTRIBUTIONS: dict[str, Function] = {
    "PERCENTILE": _share_at(exclusive=False),
    "PERCENTILE.INC": _share_at(exclusive=False),
    "PERCENTILE.EXC": _share_at(exclusive=True),
    "QUARTILE": _quarter(exclusive=False),
    "QUARTILE.INC": _quarter(exclusive=False),
    "QUARTILE.EXC": _quarter(exclusive=True),
    "PERCENTRANK": _percent_rank(exclusive=False),
    "PERCENTRANK.INC": _percent_rank(exclusive=False),
    "PERCENTRANK.EXC": _percent_rank(exclusive=True),
    "RANK.AVG": Function(_average_rank, 2, 3),
    "MODE": _MODE,
    "MODE.SNGL": _MODE,
    "GEOMEAN": _positive(statistics.geometric_mean),
    "HARMEAN": _positive(statistics.harmonic_mean),
    "AVEDEV": _of(lambda found: statistics.fmean(map(abs, _deviations(found)))),
    "DEVSQ": _of(lambda found: math.fsum(value**2 for value in _deviations(found))),
    "SKEW": _of(_skew, 3),
    "SKEW.P": _of(_skew_of_all, 3),
    "KURT": _of(_kurtosis, 4),
    "TRIMMEAN": Function(_trimmed, 2, 2),
    "AVERAGEA": _with_texts(statistics.fmean, 1),
    "MAXA": _with_texts(lambda found: max(found, default=0), 0),
    "MINA": _with_texts(lambda found: min(found, default=0), 0),
    "STDEVA": _with_texts(statistics.stdev, 2),
    "STDEVPA": _with_texts(statistics.pstdev, 1),
    "VARA": _with_texts(statistics.variance, 2),
    "VARPA": _with_texts(statistics.pvariance, 1),
    "FREQUENCY": Function(_frequency, 2, 2),
    "NORMDIST": Function(_normal_share, 4, 4),
    "NORM.DIST": Function(_normal_share, 4, 4),
    "NORMSDIST": Function(_standard_share),
    "NORM.S.DIST": Function(_standard_share, 1, 2),
    "NORMINV": _NORMAL_INVERSE,
    "NORM.INV": _NORMAL_INVERSE,
    "NORMSINV": _STANDARD_INVERSE,
    "NORM.S.INV": _STANDARD_INVERSE,
    "PHI": _one(statistics.NormalDist().pdf),
    "GAUSS": _one(lambda value: statistics.NormalDist().cdf(value) - 0.5),
    "STANDARDIZE": Function(_standardized, 3, 3),
    "CONFIDENCE": _CONFIDENCE,
    "CONFIDENCE.NORM": _CONFIDENCE,
    "BINOMDIST": _BINOMIAL,
    "BINOM.DIST": _BINOMIAL,
    "POISSON": _POISSON,
    "POISSON.DIST": _POISSON,
    "EXPONDIST": _EXPONENTIAL,
    "EXPON.DIST": _EXPONENTIAL,
    "FISHER": _one(math.atanh),
    "FISHERINV": _one(math.tanh),
    "ERF": Function(_error_function, 1, 2),
    "ERF.PRECISE": _one(math.erf),
    "ERFC": _one(math.erfc),
    "ERFC.PRECISE": _one(math.erfc),
    "GAMMA": _one(math.gamma),
    "GAMMALN": _one(math.lgamma),
    "GAMMALN.PRECISE": _one(math.lgamma),
}
