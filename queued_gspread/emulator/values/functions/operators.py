"""The operators of formulas."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING

from queued_gspread.emulator.values.comparison import COMPARISONS

from .arguments import DIVISION, EvaluationError, joined, number, rank, real, scalar, text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument


def divide(left: float, right: float) -> float:
    """Return a quotient, or fail with `#DIV/0!`."""
    if right == 0:
        raise EvaluationError(DIVISION)
    return left / right


def _arithmetic(compute: Callable[[float, float], float]) -> Callable[[Sequence[Argument]], Value]:
    return lambda values: real(compute(float(number(values[0])), float(number(values[1]))))


def _compare(holds: Callable[..., bool]) -> Callable[[Sequence[Argument]], Value]:
    def compare(values: Sequence[Argument]) -> Value:
        left, right = scalar(values[0]), scalar(values[1])
        return holds(rank(_blank_beside(left, right)), rank(_blank_beside(right, left)))

    return compare


def _blank_beside(value: Value, other: Value) -> Value:
    """Return what an empty cell is worth beside another value: "", FALSE or 0."""
    if value is not None:
        return value
    if isinstance(other, str):
        return ""
    return False if isinstance(other, bool) else 0


OPERATORS: dict[str, Callable[[Sequence[Argument]], Value]] = {
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(divide),
    "^": _arithmetic(operator.pow),
    "&": lambda values: joined(map(text, values)),
    **{sign: _compare(holds) for sign, holds in COMPARISONS.items()},
    "unary -": lambda values: -number(values[0]),
    # A plus sign leaves any value as it is: =+A1 is A1.
    "unary +": lambda values: scalar(values[0]),
}
