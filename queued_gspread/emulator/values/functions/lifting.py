"""Functions of single values over ranges: computed for each cell, as in an ARRAYFORMULA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.not_computed import NotComputedError

from .arguments import (
    BAD_NUMBER,
    NOT_AVAILABLE,
    Area,
    EvaluationError,
    RangeGivenError,
    array,
    bounded,
    check_size,
    scalar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from queued_gspread.emulator.book.cell import Value

    from .arguments import Argument

    Compute = Callable[[Sequence[Argument]], Argument]
    Spend = Callable[[int], None]


def places_of(area: Area, values: Sequence[Argument]) -> set[int]:
    """Return at which places of the arguments a range is given."""
    return {place for place, value in enumerate(values) if value is area}


def cells_of(argument: Argument) -> int:
    """Return how many cells a range or an array has, 0 for a single value."""
    return argument.height * argument.width if isinstance(argument, Area) else 0


def lifted(compute: Compute, values: Sequence[Argument], places: set[int], spend: Spend) -> Area:
    """Return a function's results for each cell of the ranges at some places.

    `spend` is called with the number of cells of every result, and ends the formula if they are too
    many.

    Trying the function shows which other ranges are given where one value is expected.
    """
    while True:
        try:
            return array(list(_rows(compute, values, places, spend)))
        except RangeGivenError as given:
            more = places_of(given.area, values) - places
            if not more:
                raise NotComputedError("arrays of arrays") from None
            places = places | more


def _rows(
    compute: Compute, values: Sequence[Argument], places: set[int], spend: Spend
) -> Iterator[Sequence[Value]]:
    areas = [value for place, value in enumerate(values) if place in places]
    heights, widths = zip(*((a.height, a.width) for a in areas if isinstance(a, Area)), strict=True)
    height, width = max(heights), max(widths)
    check_size(height, width)
    whole = sum(cells_of(value) for place, value in enumerate(values) if place not in places)
    for row in range(height):
        line = []
        for column in range(width):
            each = [
                _cell(value, row, column) if place in places else value
                for place, value in enumerate(values)
            ]
            line.append(_element(compute, each))
            spend(1 + whole)
        yield line


def _cell(value: Argument, row: int, column: int) -> Value:
    """Return one cell; a single row or column is taken again and again."""
    if not isinstance(value, Area):
        return value
    row, column = row if value.height > 1 else 0, column if value.width > 1 else 0
    return value.at(row, column) if row < value.height and column < value.width else NOT_AVAILABLE


def _element(compute: Compute, values: Sequence[Argument]) -> Value:
    try:
        return scalar(bounded(compute(values)))
    except RangeGivenError:
        raise
    except EvaluationError as failure:
        return failure.error
    except (ArithmeticError, ValueError):
        return BAD_NUMBER
