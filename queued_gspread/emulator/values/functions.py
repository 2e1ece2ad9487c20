"""The functions and operators that formulas may use, over plain values."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING

from .formula import CellError
from .patterns import show_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.emulator.cell import Scalar

    from .formula import Value

DIVISION = CellError("#DIV/0!")
WRONG_TYPE = CellError("#VALUE!")
UNKNOWN_NAME = CellError("#NAME?")
BAD_NUMBER = CellError("#NUM!")
BAD_REFERENCE = CellError("#REF!")


class EvaluationError(Exception):
    """Carries a CellError out of a computation."""

    def __init__(self, error: CellError) -> None:
        """Keep the error."""
        super().__init__(error.code)
        self.error = error


def number(value: Value) -> float:
    """Return a value as a number, or fail with `#VALUE!`."""
    if isinstance(value, CellError):
        raise EvaluationError(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value or 0
    try:
        return float(value)
    except ValueError:
        raise EvaluationError(WRONG_TYPE) from None


def text(value: Value) -> str:
    """Return a value as text, as joining shows it."""
    if isinstance(value, CellError):
        raise EvaluationError(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if isinstance(value, str) else show_plain(value)


def _numbers(values: Sequence[Value]) -> list[float]:
    for value in values:
        if isinstance(value, CellError):
            raise EvaluationError(value)
    return [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]


def _divide(left: float, right: float) -> float:
    if right == 0:
        raise EvaluationError(DIVISION)
    return left / right


def _average(values: Sequence[Value]) -> float:
    found = _numbers(values)
    return _divide(sum(found), len(found))


def _root(values: Sequence[Value]) -> float:
    value = number(values[0])
    if value < 0:
        raise EvaluationError(BAD_NUMBER)
    return math.sqrt(value)


def _round(values: Sequence[Value]) -> float:
    value, places = number(values[0]), int(number(values[1])) if len(values) > 1 else 0
    scaled = abs(value) * 10**places + 0.5
    return math.copysign(math.floor(scaled) / 10**places, value)


def rank(value: Value) -> tuple[int, float | str]:
    """Return a key that orders numbers before texts before truth values."""
    if isinstance(value, CellError):
        raise EvaluationError(value)
    if isinstance(value, bool):
        return 2, float(value)
    if isinstance(value, str):
        return 1, value.casefold()
    return 0, value or 0.0


def _compare(holds: Callable[..., bool]) -> Callable[[Sequence[Value]], Scalar]:
    return lambda values: holds(rank(values[0]), rank(values[1]))


def _arithmetic(compute: Callable[[float, float], float]) -> Callable[[Sequence[Value]], Scalar]:
    return lambda values: _real(compute(float(number(values[0])), float(number(values[1]))))


def _real(value: object) -> float:
    """Refuse what no cell can hold: an infinity, or a root of a negative number."""
    if not isinstance(value, float) or not math.isfinite(value):
        raise EvaluationError(BAD_NUMBER)
    return value


FUNCTIONS: dict[str, Callable[[Sequence[Value]], Scalar]] = {
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(_divide),
    "^": _arithmetic(operator.pow),
    "&": lambda values: text(values[0]) + text(values[1]),
    "=": _compare(operator.eq),
    "<>": _compare(operator.ne),
    "<": _compare(operator.lt),
    ">": _compare(operator.gt),
    "<=": _compare(operator.le),
    ">=": _compare(operator.ge),
    "NEGATE": lambda values: -number(values[0]),
    "PLUS": lambda values: number(values[0]),
    "SUM": lambda values: sum(_numbers(values)),
    "AVERAGE": _average,
    "MIN": lambda values: min(_numbers(values), default=0),
    "MAX": lambda values: max(_numbers(values), default=0),
    "PRODUCT": lambda values: math.prod(_numbers(values)),
    "COUNT": lambda values: sum(
        isinstance(v, (int, float)) and not isinstance(v, bool) for v in values
    ),
    "COUNTA": lambda values: sum(v is not None for v in values),
    "ABS": lambda values: abs(number(values[0])),
    "SQRT": _root,
    "ROUND": _round,
    "INT": lambda values: math.floor(number(values[0])),
    "MOD": lambda values: number(values[0]) % number(values[1]),
    "AND": lambda values: all(number(v) for v in values),
    "OR": lambda values: any(number(v) for v in values),
    "NOT": lambda values: not number(values[0]),
    "LEN": lambda values: len(text(values[0])),
    "UPPER": lambda values: text(values[0]).upper(),
    "LOWER": lambda values: text(values[0]).lower(),
    "TRIM": lambda values: " ".join(text(values[0]).split()),
    "CONCATENATE": lambda values: "".join(text(v) for v in values),
    "CONCAT": lambda values: "".join(text(v) for v in values),
    "HYPERLINK": lambda values: text(values[-1]),
}
