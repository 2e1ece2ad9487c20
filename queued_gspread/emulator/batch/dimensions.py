"""Requests about rows and columns: insert, delete, append, hide, size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.render import shown
from queued_gspread.emulator.wire.errors import InvalidArgumentError
from queued_gspread.emulator.wire.field_mask import parse_mask

from .scope import dimension_of, require_mask
from .shift import Shift, shift_sheet
from .text_width import pixel_width

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Handler, Json, Scope

DEFAULT_PIXELS = {"ROWS": 21, "COLUMNS": 100}


def insert_dimension(scope: Scope, request: Json) -> Json:
    """Insert empty rows or columns before an index."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    size = sheet.size(dimension)
    if start > size or (start == size and request.get("inheritFromBefore") is not True):
        message = f"range.startIndex[{start}] must be less than the grid size ({size})"
        message += " if inheritFromBefore is false."
        raise InvalidArgumentError(message)
    _grown(scope, sheet, dimension, end - start)
    shift_sheet(scope.book, sheet, Shift(dimension, start, end - start))
    return {}


def delete_dimension(scope: Scope, request: Json) -> Json:
    """Remove rows or columns."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    size = sheet.size(dimension)
    noun = "row" if dimension == "ROWS" else "column"
    if start >= size or end > size:
        tried = f"Tried to delete {noun} index {max(start, end - 1)}"
        message = f"Cannot delete a {noun} that doesn't exist. {tried} but there are only {size}"
        raise InvalidArgumentError(f"{message} {noun}s.")
    if end - start >= size:
        raise InvalidArgumentError(f"You can't delete all the {noun}s on the sheet.")
    shift_sheet(scope.book, sheet, Shift(dimension, start, start - end))
    return {}


def append_dimension(scope: Scope, request: Json) -> Json:
    """Add rows or columns at the end."""
    sheet = scope.sheet(request.get("sheetId"))
    length = int(request.get("length") or 0)
    if length < 1:
        raise InvalidArgumentError(f"length must be greater than 0, was {length}")
    dimension = dimension_of(request, "dimension", "ROWS")
    sheet.grid.grow(*_grown(scope, sheet, dimension, length))
    return {}


def update_dimension_properties(scope: Scope, request: Json) -> Json:
    """Hide, show or size rows or columns."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    fields, asked = parse_mask(require_mask(request)), request.get("properties") or {}
    stored = sheet.dimensions[dimension]
    for index in range(start, min(end, sheet.size(dimension))):
        found = dict(stored.get(index, {}))
        for name in asked if "*" in fields else fields:
            found.pop(name, None)
            if asked.get(name):
                found[name] = asked[name]
        stored[index] = found
    return {}


def auto_resize_dimensions(scope: Scope, request: Json) -> Json:
    """Make columns as wide as their widest text."""
    sheet, dimension, start, end = scope.dimension_range(request.get("dimensions"))
    if dimension == "COLUMNS":
        for column in range(start, min(end, sheet.grid.column_count)):
            width = _widest(scope, sheet, column)
            if width:
                sheet.dimensions[dimension].setdefault(column, {})["pixelSize"] = width
    return {}


def _grown(scope: Scope, sheet: Sheet, dimension: str, count: int) -> tuple[int, int]:
    """Return a sheet's size with more rows or columns; raise if that is too large."""
    rows, columns = sheet.grid.row_count, sheet.grid.column_count
    rows, columns = (rows + count, columns) if dimension == "ROWS" else (rows, columns + count)
    scope.book.check_size(sheet, rows, columns)
    return rows, columns


def _widest(scope: Scope, sheet: Sheet, column: int) -> int:
    evaluator = Evaluator(scope.book, "peek")
    rect = sheet.grid.everything._replace(start_column=column, end_column=column + 1)
    texts = (
        shown(
            cell, evaluator.value(sheet, row, column), evaluator.number_format(sheet, row, column)
        )
        for row, _, cell in sheet.grid.stored(rect)
        if cell.is_filled
    )
    return max((pixel_width(text) for text in texts), default=0)


HANDLERS: dict[str, Handler] = {
    "insertDimension": insert_dimension,
    "deleteDimension": delete_dimension,
    "appendDimension": append_dimension,
    "updateDimensionProperties": update_dimension_properties,
    "autoResizeDimensions": auto_resize_dimensions,
}
