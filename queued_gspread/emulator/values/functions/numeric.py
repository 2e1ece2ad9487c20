"""Functions of numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .arguments import (
    BAD_NUMBER,
    WRONG_TYPE,
    EvaluationError,
    Function,
    area_of,
    is_number,
    number,
    numbers,
    optional,
    rank,
    real,
    sound,
    truth,
    whole,
)
from .operators import OPERATORS, divide

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument

_TEN = 10
# Decimal fractions are seldom exact: a number this near to a whole one is taken for it.
_SLACK = 1e-9


def _one(compute: Callable[[float], float]) -> Function:
    return Function(lambda values: real(_defined(compute, number(values[0]))))


def _defined(compute: Callable[..., float], *values: float) -> float:
    try:
        return compute(*values)
    except ValueError:
        raise EvaluationError(BAD_NUMBER) from None


def _rounding(to_whole: Callable[[float], int]) -> Function:
    def compute(values: Sequence[Argument]) -> float:
        value, places = number(values[0]), whole(values[1]) if len(values) > 1 else 0
        scaled = to_whole(abs(value) * 10.0**places)
        return math.copysign(scaled / 10.0**places, value) if scaled else 0

    return Function(compute, 1, 2)


def _multiple(to_whole: Callable[[float], int]) -> Function:
    def compute(values: Sequence[Argument]) -> float:
        value, factor = number(values[0]), number(values[1]) if len(values) > 1 else 1
        if value > 0 > factor:
            raise EvaluationError(BAD_NUMBER)
        return to_whole(value / factor) * factor if factor else 0

    return Function(compute, 1, 2)


def _up(value: float) -> int:
    return math.ceil(value - _SLACK)


def _down(value: float) -> int:
    return math.floor(value + _SLACK)


def _half_up(value: float) -> int:
    return math.floor(value + 0.5 + _SLACK)


def _modulo(values: Sequence[Argument]) -> float:
    value, divisor = number(values[0]), number(values[1])
    divide(value, divisor)
    return value % divisor


def _logarithm(values: Sequence[Argument]) -> float:
    base = number(values[1]) if len(values) > 1 else _TEN
    above, below = (_defined(math.log, value) for value in (number(values[0]), base))
    return divide(above, below)


def _sum_of_products(values: Sequence[Argument]) -> float:
    areas = [area_of(value) for value in values]
    if len({(area.height, area.width) for area in areas}) > 1:
        raise EvaluationError(WRONG_TYPE)
    lines = [list(area.values()) for area in areas]
    products = zip(*lines, strict=False)
    numbers(areas)
    return sum(
        math.prod(v if isinstance(v, (int, float)) and is_number(v) else 0 for v in line)
        for line in products
    )


def _to_multiple(away: bool) -> Function:
    """Return CEILING.MATH or FLOOR.MATH, for which the sign of the factor does not matter.

    With a third argument that is not 0, negative numbers go the other way.
    """

    def compute(values: Sequence[Argument]) -> float:
        value, factor = number(values[0]), abs(optional(values, 1, 1))
        mirrored = value < 0 and optional(values, 2, 0) != 0
        return (_up if away != mirrored else _down)(value / factor) * factor if factor else 0

    return Function(compute, 1, 3)


def _rounded_to_multiple(values: Sequence[Argument]) -> float:
    value, factor = number(values[0]), number(values[1])
    if value * factor < 0:
        raise EvaluationError(BAD_NUMBER)
    return _half_up(value / factor) * factor if factor else 0


def _from_zero(step: int) -> Function:
    """Return a function to the next even or odd number away from 0."""

    def compute(values: Sequence[Argument]) -> float:
        value = number(values[0])
        found = math.ceil((abs(value) - step) / 2) * 2 + step
        return math.copysign(max(found, step), value) if found else 0

    return Function(compute)


def _series(values: Sequence[Argument]) -> float:
    x, power, step = (number(value) for value in values[:3])
    factors = numbers(values[3:])
    return real(math.fsum(a * x ** (power + step * place) for place, a in enumerate(factors)))


def _operator(sign: str) -> Function:
    return Function(OPERATORS[sign], 2, 2)


def _between(values: Sequence[Argument]) -> bool:
    value, low, high = (rank(sound(each)) for each in values[:3])
    includes_low, includes_high = [*(truth(each) for each in values[3:]), True, True][:2]
    above = value >= low if includes_low else value > low
    return above and (value <= high if includes_high else value < high)


NUMERIC: dict[str, Function] = {
    "SUM": Function(lambda values: real(math.fsum(numbers(values))), 1, None),
    "PRODUCT": Function(lambda values: real(math.prod(numbers(values))), 1, None),
    "SUMSQ": Function(lambda values: real(sum(v * v for v in numbers(values))), 1, None),
    "SUMPRODUCT": Function(_sum_of_products, 1, None),
    "ABS": _one(abs),
    "SIGN": _one(lambda value: (value > 0) - (value < 0)),
    "SQRT": _one(math.sqrt),
    "EXP": _one(math.exp),
    "LN": _one(math.log),
    "LOG10": _one(math.log10),
    "LOG": Function(_logarithm, 1, 2),
    "POWER": Function(lambda values: real(float(number(values[0])) ** number(values[1])), 2, 2),
    "PI": Function(lambda _: math.pi, 0, 0),
    "INT": _one(math.floor),
    "TRUNC": _rounding(_down),
    "ROUND": _rounding(_half_up),
    "ROUNDUP": _rounding(_up),
    "ROUNDDOWN": _rounding(_down),
    "CEILING": _multiple(_up),
    "FLOOR": _multiple(_down),
    "CEILING.MATH": _to_multiple(away=True),
    "CEILING.PRECISE": _to_multiple(away=True)._replace(most=2),
    "ISO.CEILING": _to_multiple(away=True)._replace(most=2),
    "FLOOR.MATH": _to_multiple(away=False),
    "FLOOR.PRECISE": _to_multiple(away=False)._replace(most=2),
    "MROUND": Function(_rounded_to_multiple, 2, 2),
    "EVEN": _from_zero(0),
    "ODD": _from_zero(1),
    "SQRTPI": _one(lambda value: math.sqrt(value * math.pi)),
    "SERIESSUM": Function(_series, 4, 4),
    "DELTA": Function(lambda values: int(number(values[0]) == optional(values, 1, 0)), 1, 2),
    "GESTEP": Function(lambda values: int(number(values[0]) >= optional(values, 1, 0)), 1, 2),
    "ADD": _operator("+"),
    "MINUS": _operator("-"),
    "MULTIPLY": _operator("*"),
    "DIVIDE": _operator("/"),
    "POW": _operator("^"),
    "EQ": _operator("="),
    "NE": _operator("<>"),
    "GT": _operator(">"),
    "GTE": _operator(">="),
    "LT": _operator("<"),
    "LTE": _operator("<="),
    "UMINUS": Function(OPERATORS["unary -"]),
    "UPLUS": Function(OPERATORS["unary +"]),
    "UNARY_PERCENT": Function(lambda values: number(values[0]) / 100),
    "ISBETWEEN": Function(_between, 3, 5),
    "MOD": Function(_modulo, 2, 2),
    "QUOTIENT": Function(lambda values: int(divide(number(values[0]), number(values[1]))), 2, 2),
    "ISEVEN": Function(lambda values: whole(values[0]) % 2 == 0),
    "ISODD": Function(lambda values: whole(values[0]) % 2 == 1),
}
