"""The request that sorts the rows of a range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.functions import rank
from queued_gspread.emulator.wire.errors import InvalidArgumentError, sheets_unimplemented

from .rows import reorder

if TYPE_CHECKING:
    from queued_gspread.emulator.book.cell import Value

    from .scope import Json, Scope

_ERRORS_LAST = (3, "")
_COLORS = {"backgroundColor", "backgroundColorStyle", "foregroundColor", "foregroundColorStyle"}


def sort_range(scope: Scope, request: Json) -> Json:
    """Sort rows by one column after the other; blank cells come last either way."""
    sheet, rect = scope.grid_range(request.get("range"))
    evaluator = Evaluator(scope.book, "need")
    rows = list(range(rect.start_row, rect.end_row))
    specs = request.get("sortSpecs") or []
    _expect_values_to_sort_by(specs)
    for spec in reversed(specs):
        column = spec.get("dimensionIndex", 0)
        if not rect.start_column <= column < rect.end_column:
            message = f"dimensionIndex[{column}] must be within the range"
            raise InvalidArgumentError(message)
        keys = {row: evaluator.value(sheet, row, column) for row in rows}
        filled = [row for row in rows if keys[row] is not None]
        blank = [row for row in rows if keys[row] is None]
        falling = spec.get("sortOrder") == "DESCENDING"
        rows = sorted(filled, key=lambda row: _key(keys[row]), reverse=falling) + blank
    reorder(sheet, rect, rows)
    return {}


def _expect_values_to_sort_by(specs: list[Json]) -> None:
    for place, spec in enumerate(specs):
        for name in _COLORS & spec.keys():
            what = f"sortRange.sortSpecs[{place}].{name}"
            raise sheets_unimplemented(f"The emulator does not support {what}.")


def _key(value: Value) -> tuple[int, float | str]:
    return _ERRORS_LAST if isinstance(value, CellError) else rank(value)
