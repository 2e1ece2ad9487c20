"""Requests that drop rows of a range or put them in another order.

By the reference of DeleteDuplicatesRequest and RandomizeRangeRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Value
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope


def delete_duplicates(scope: Scope, request: Json) -> Json:
    """Keep the first of rows with the same values, ignoring case; rows below move up.

    Rows that are empty in all compared columns are not duplicates.
    """
    sheet, rect = scope.grid_range(request.get("range"))
    columns = _compared(scope, request, rect)
    evaluator = Evaluator(scope.book, "need")
    seen: set[tuple[object, ...]] = set()
    kept = []
    for row in range(rect.start_row, rect.end_row):
        values = [evaluator.value(sheet, row, column) for column in columns]
        key = tuple(map(_key, values))
        if key not in seen or all(value is None for value in values):
            kept.append(row)
        seen.add(key)
    reorder(sheet, rect, kept)
    removed = rect.height - len(kept)
    return {"deleteDuplicates": {"duplicatesRemovedCount": removed} if removed else {}}


def randomize_range(scope: Scope, request: Json) -> Json:
    """Shuffle the rows of a range; the emulator's seed decides how."""
    sheet, rect = scope.grid_range(request.get("range"))
    reorder(sheet, rect, [rect.start_row + place for place in scope.ids.order(rect.height)])
    return {}


def _compared(scope: Scope, request: Json, rect: Rect) -> list[int]:
    found: set[int] = set()
    for asked in request.get("comparisonColumns") or []:
        _, dimension, start, end = scope.dimension_range({"dimension": "COLUMNS", **asked})
        if dimension != "COLUMNS" or start < rect.start_column or end > rect.end_column:
            raise InvalidArgumentError(f"comparisonColumns must be columns of the range: {asked}")
        found |= set(range(start, end))
    return sorted(found) or list(range(rect.start_column, rect.end_column))


def reorder(sheet: Sheet, rect: Rect, rows: list[int]) -> None:
    """Reduce a range to some of its rows in this order, with empty rows below them."""
    grid, columns = sheet.grid, range(rect.start_column, rect.end_column)
    block = [[grid.get(row, column) for column in columns] for row in rows]
    for row, column, _ in list(grid.stored(rect)):
        grid.put(row, column, None)
    for row, line in enumerate(block, rect.start_row):
        for column, cell in zip(columns, line, strict=True):
            grid.put(row, column, cell.changed())


def _key(value: Value) -> object:
    """Return a key that is the same for equal values: 1 is not TRUE, "a" is "A"."""
    return value.casefold() if isinstance(value, str) else (isinstance(value, bool), value)
