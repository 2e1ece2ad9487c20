"""Functions of whole numbers: counting, divisors, number systems and bits."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.not_computed import NotComputedError

from .arguments import (
    BAD_NUMBER,
    WRONG_TYPE,
    EvaluationError,
    Function,
    number,
    numbers,
    optional,
    real,
    text,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .arguments import Argument

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LARGEST_FACTORIAL = 170
_LARGEST_COUNT = 10_000
_BITS = 48
_ROMAN = [(1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC")]
_ROMAN += [(50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")]
_LARGEST_ROMAN = 3999


def _natural(value: float, most: float = math.inf) -> int:
    found = math.trunc(value)
    if not 0 <= found <= most:
        raise EvaluationError(BAD_NUMBER)
    return found


def _factorial(values: Sequence[Argument]) -> float:
    return real(float(math.factorial(_natural(number(values[0]), _LARGEST_FACTORIAL))))


def _double_factorial(values: Sequence[Argument]) -> float:
    return real(float(math.prod(range(_natural(number(values[0]), 300), 0, -2))))


def _counting(count: Callable[[int, int], int]) -> Function:
    def compute(values: Sequence[Argument]) -> float:
        total, chosen = (_natural(number(value)) for value in values)
        if max(total, chosen) > _LARGEST_COUNT:
            raise NotComputedError(f"combinations of more than {_LARGEST_COUNT}")
        if chosen > total and count is not _with_repeats:
            raise EvaluationError(BAD_NUMBER)
        return real(float(count(total, chosen)))

    return Function(compute, 2, 2)


def _with_repeats(total: int, chosen: int) -> int:
    return math.comb(total + chosen - 1, chosen) if total else int(chosen == 0)


def _common(compute: Callable[..., int]) -> Function:
    def found(values: Sequence[Argument]) -> float:
        return real(float(compute(*(_natural(value) for value in numbers(values)))))

    return Function(found, 1, None)


def _multinomial(values: Sequence[Argument]) -> float:
    parts = [_natural(value, _LARGEST_FACTORIAL) for value in numbers(values)]
    top = math.factorial(_natural(sum(parts), _LARGEST_FACTORIAL))
    return real(float(top // math.prod(map(math.factorial, parts))))


def _written(value: int, base: int) -> str:
    digits = ""
    while value:
        value, digit = divmod(value, base)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def _in_base(values: Sequence[Argument]) -> str:
    value, base = _natural(number(values[0]), 2**53), whole(values[1])
    if not 2 <= base <= len(_DIGITS):  # noqa: PLR2004  - the least
        raise EvaluationError(BAD_NUMBER)
    return _written(value, base).rjust(_natural(optional(values, 2, 0), 255), "0")


def _from_base(values: Sequence[Argument]) -> float:
    base = whole(values[1])
    if not 2 <= base <= len(_DIGITS):  # noqa: PLR2004  - the least
        raise EvaluationError(BAD_NUMBER)
    return real(float(_read(text(values[0]).upper(), base, 255)))


def _read(digits: str, base: int, most: int) -> int:
    if not digits or len(digits) > most or not set(digits) <= set(_DIGITS[:base]):
        raise EvaluationError(BAD_NUMBER)
    return int(digits, base)


def _converting(source: int, target: int) -> Function:
    """Return a function between number systems, of ten digits with the first as the sign."""

    def compute(values: Sequence[Argument]) -> Argument:
        value = _signed(values[0], source)
        if target == 10:  # noqa: PLR2004  - a plain number
            return value
        half = _half(target)
        if not -half <= value < half:
            raise EvaluationError(BAD_NUMBER)
        digits = _written(value % (2 * half), target)
        width = _natural(optional(values, 1, 0), 10)
        if value >= 0 and width and len(digits) > width:
            raise EvaluationError(BAD_NUMBER)
        return digits.rjust(width, "0") if value >= 0 else digits

    return Function(compute, 1, 1 if target == 10 else 2)  # noqa: PLR2004  - it


def _half(base: int) -> int:
    return 2**39 if base == 16 else 2**29 if base == 8 else 2**9  # noqa: PLR2004  - bases


def _signed(argument: Argument, base: int) -> int:
    if base == 10:  # noqa: PLR2004  - a plain number
        return whole(argument)
    value, half = _read(text(argument).upper(), base, 10), _half(base)
    return value - 2 * half if value >= half else value


def _bits(compute: Callable[[int, int], int]) -> Function:
    def found(values: Sequence[Argument]) -> float:
        left, right = (_natural(number(value), 2**_BITS - 1) for value in values)
        return compute(left, right)

    return Function(found, 2, 2)


def _shifted(values: Sequence[Argument], direction: int) -> float:
    value, by = _natural(number(values[0]), 2**_BITS - 1), whole(values[1]) * direction
    if abs(by) > 53:  # noqa: PLR2004  - the bits of a number
        raise EvaluationError(BAD_NUMBER)
    return _natural(value << by if by >= 0 else value >> -by, 2**_BITS - 1)


def _roman(values: Sequence[Argument]) -> str:
    if optional(values, 1, 0) not in {0, 1}:
        raise NotComputedError("ROMAN in relaxed forms")
    left = _natural(number(values[0]), _LARGEST_ROMAN)
    if left == 0:
        raise EvaluationError(WRONG_TYPE)
    found = ""
    for value, letters in _ROMAN:
        found += letters * (left // value)
        left %= value
    return found


def _from_roman(values: Sequence[Argument]) -> int:
    letters = text(values[0]).upper()
    if not re.fullmatch("-?[MDCLXVI]*", letters):
        raise EvaluationError(WRONG_TYPE)
    worth = {name: value for value, name in _ROMAN if len(name) == 1}
    digits = [worth[letter] for letter in letters.lstrip("-")]
    pairs = zip(digits, [*digits[1:], 0], strict=True)
    total = sum(-value if value < following else value for value, following in pairs)
    return -total if letters.startswith("-") else total


_BASES = {"BIN": 2, "OCT": 8, "DEC": 10, "HEX": 16}
INTEGERS: dict[str, Function] = {
    "FACT": Function(_factorial),
    "FACTDOUBLE": Function(_double_factorial),
    "COMBIN": _counting(math.comb),
    "COMBINA": _counting(_with_repeats),
    "PERMUT": _counting(math.perm),
    "GCD": _common(math.gcd),
    "LCM": _common(math.lcm),
    "MULTINOMIAL": Function(_multinomial, 1, None),
    "BASE": Function(_in_base, 2, 3),
    "DECIMAL": Function(_from_base, 2, 2),
    "BITAND": _bits(lambda left, right: left & right),
    "BITOR": _bits(lambda left, right: left | right),
    "BITXOR": _bits(lambda left, right: left ^ right),
    "BITLSHIFT": Function(lambda values: _shifted(values, 1), 2, 2),
    "BITRSHIFT": Function(lambda values: _shifted(values, -1), 2, 2),
    "ROMAN": Function(_roman, 1, 2),
    "ARABIC": Function(_from_roman),
    **{
        f"{source}2{target}": _converting(_BASES[source], _BASES[target])
        for source in _BASES
        for target in _BASES
        if source != target
    },
}
