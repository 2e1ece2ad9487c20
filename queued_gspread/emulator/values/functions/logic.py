"""Logical functions, and those that test what a value is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import CellError

from .arguments import (
    NOT_AVAILABLE,
    WRONG_TYPE,
    Area,
    EvaluationError,
    Function,
    every,
    is_number,
    number,
    scalar,
    sound,
    truth,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument


_ERROR_TYPES = ("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#ERROR!")


def _truths(values: Sequence[Argument]) -> list[bool]:
    """Return the given truth values; texts in ranges do not count."""
    found = list(_each_truth(values))
    if not found:
        raise EvaluationError(WRONG_TYPE)
    return found


def _each_truth(values: Sequence[Argument]) -> Iterator[bool]:
    for value in values:
        if not isinstance(value, Area):
            yield truth(value)
            continue
        for one in every([value]):
            if not isinstance(one, str):
                yield truth(one)


def _asks(test: Callable[[Value], bool]) -> Function:
    return Function(lambda values: test(scalar(values[0])))


def _not_available(_: Sequence[Argument]) -> Value:
    raise EvaluationError(NOT_AVAILABLE)


def _as_number(values: Sequence[Argument]) -> float:
    value = sound(values[0])
    return 0 if isinstance(value, str) else number(value)


def _error_type(values: Sequence[Argument]) -> int:
    value = scalar(values[0])
    if not isinstance(value, CellError):
        raise EvaluationError(NOT_AVAILABLE)
    return _ERROR_TYPES.index(value.code) + 1


def _kind(values: Sequence[Argument]) -> int:
    """Return what TYPE does: 1 for numbers, 2 texts, 4 truth values, 16 errors, 64 ranges."""
    if isinstance(values[0], Area) and values[0].height * values[0].width > 1:
        return 64
    value = scalar(values[0])
    if isinstance(value, CellError):
        return 16
    return 4 if isinstance(value, bool) else 2 if isinstance(value, str) else 1


LOGIC: dict[str, Function] = {
    "AND": Function(lambda values: all(_truths(values)), 1, None),
    "OR": Function(lambda values: any(_truths(values)), 1, None),
    "XOR": Function(lambda values: sum(_truths(values)) % 2 == 1, 1, None),
    "NOT": Function(lambda values: not truth(values[0])),
    "TRUE": Function(lambda _: True, 0, 0),
    "FALSE": Function(lambda _: False, 0, 0),
    "NA": Function(_not_available, 0, 0),
    "N": Function(_as_number),
    "ERROR.TYPE": Function(_error_type),
    "TYPE": Function(_kind),
    "ISBLANK": _asks(lambda value: value is None),
    "ISNUMBER": _asks(is_number),
    "ISTEXT": _asks(lambda value: isinstance(value, str)),
    "ISNONTEXT": _asks(lambda value: not isinstance(value, str)),
    "ISLOGICAL": _asks(lambda value: isinstance(value, bool)),
    "ISERROR": _asks(lambda value: isinstance(value, CellError)),
    "ISERR": _asks(lambda value: isinstance(value, CellError) and value != NOT_AVAILABLE),
    "ISNA": _asks(lambda value: value == NOT_AVAILABLE),
}
