"""Requests about rows and columns: insert, delete, append, hide, size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.cell import Cell
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.render import shown
from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .scope import dimension_of, mask_of
from .shift import Shift, shift_sheet
from .text_width import pixel_width

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope

DEFAULT_PIXELS = {"ROWS": 21, "COLUMNS": 100}


def insert_dimension(scope: Scope, request: Json) -> Json:
    """Insert empty rows or columns before an index."""
    sheet, dimension, start, end = scope.dimension_range(request.get("range"))
    size, before = sheet.size(dimension), request.get("inheritFromBefore", False)
    if before and not start:
        message = "range.startIndex[0] must be greater than 0 if inheritFromBefore is true."
        raise InvalidArgumentError(message)
    if start > size or (start == size and not before):
        message = f"range.startIndex[{start}] must be less than the grid size ({size})"
        message += " if inheritFromBefore is false."
        raise InvalidArgumentError(message)
    _grown(scope, sheet, dimension, end - start)
    shift_sheet(scope.book, sheet, Shift(dimension, start, end - start))
    _extend(sheet, dimension, start - 1 if before else end, range(start, end))
    return {}


def _extend(sheet: Sheet, dimension: str, source: int, new: range) -> None:
    """Give new rows or columns the properties, the formats and the rules of the one beside."""
    stored, whole = sheet.dimensions[dimension], sheet.grid.everything
    stored |= {index: dict(stored[source]) for index in new if source in stored}
    sides = (source, source + 1)
    line = Rect(*sides, *whole[2:]) if dimension == "ROWS" else Rect(*whole[:2], *sides)
    for row, column, cell in list(sheet.grid.stored(line)):
        bare = Cell(format=cell.format, validation=cell.validation)
        for index in new if not bare.is_bare else ():
            place = (index, column) if dimension == "ROWS" else (row, index)
            sheet.grid.put(*place, bare)


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
    fields, asked = mask_of(request), request.get("properties") or {}
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
    """Make columns as wide as their widest text, and rows as high as a line."""
    sheet, dimension, start, end = scope.dimension_range(request.get("dimensions"))
    for index in range(start, min(end, sheet.size(dimension))):
        size = DEFAULT_PIXELS["ROWS"] if dimension == "ROWS" else _widest(scope, sheet, index)
        if size:
            sheet.dimensions[dimension].setdefault(index, {})["pixelSize"] = size
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
