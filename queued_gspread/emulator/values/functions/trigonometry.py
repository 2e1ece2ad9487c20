"""Functions of angles, and hyperbolic ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from .arguments import BAD_NUMBER, EvaluationError, Function, number, real
from .operators import divide

if TYPE_CHECKING:
    from collections.abc import Callable


def _one(compute: Callable[[float], float]) -> Function:
    return Function(lambda values: real(_defined(compute, number(values[0]))))


def _defined(compute: Callable[[float], float], value: float) -> float:
    try:
        return compute(value)
    except ValueError:
        raise EvaluationError(BAD_NUMBER) from None


def _inverse(compute: Callable[[float], float]) -> Function:
    return _one(lambda value: divide(1, compute(value)))


TRIGONOMETRY: dict[str, Function] = {
    "SIN": _one(math.sin),
    "COS": _one(math.cos),
    "TAN": _one(math.tan),
    "COT": _inverse(math.tan),
    "SEC": _inverse(math.cos),
    "CSC": _inverse(math.sin),
    "ASIN": _one(math.asin),
    "ACOS": _one(math.acos),
    "ATAN": _one(math.atan),
    "ACOT": _one(lambda value: math.pi / 2 - math.atan(value)),
    "ATAN2": Function(lambda values: _angle(number(values[0]), number(values[1])), 2, 2),
    "SINH": _one(math.sinh),
    "COSH": _one(math.cosh),
    "TANH": _one(math.tanh),
    "COTH": _inverse(math.tanh),
    "SECH": _inverse(math.cosh),
    "CSCH": _inverse(math.sinh),
    "ASINH": _one(math.asinh),
    "ACOSH": _one(math.acosh),
    "ATANH": _one(math.atanh),
    "RADIANS": _one(math.radians),
    "DEGREES": _one(math.degrees),
}


def _angle(x: float, y: float) -> float:
    if x == y == 0:
        divide(1, 0)
    return math.atan2(y, x)
