"""Requests that copy or move cells."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import Rect
from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.values.evaluate import Evaluator
from queued_gspread.emulator.values.references import copied_formula
from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .scope import dimension_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Handler, Json, Scope

Block = list[list["Cell"]]
# Numbers in series: below where floats skip whole numbers, compared to this many places.
_LARGEST, _PLACES = 1e15, 12


def copy_paste(scope: Scope, request: Json) -> Json:
    """Copy a range to another, repeated as often as it fits in there."""
    source, rect = scope.grid_range(request.get("source"))
    target, where = scope.grid_range(request.get("destination"))
    block = _block(scope, source, rect, request.get("pasteType", "PASTE_NORMAL"))
    if request.get("pasteOrientation") == "TRANSPOSE":
        block = [list(line) for line in zip(*block, strict=True)]
    height, width = len(block), len(block[0])
    rows = max(where.height // height, 1) * height
    columns = max(where.width // width, 1) * width
    scope.make_room(target, where.start_row + rows, where.start_column + columns)
    kind = request.get("pasteType", "PASTE_NORMAL")
    for row in range(rows):
        for column in range(columns):
            place = where.start_row + row, where.start_column + column
            origin = rect.start_row + row % height, rect.start_column + column % width
            offset = place[0] - origin[0], place[1] - origin[1]
            _paste(target, place, _shifted(block[row % height][column % width], offset), kind)
    return {}


def cut_paste(scope: Scope, request: Json) -> Json:
    """Move a range; what was there is overwritten."""
    source, rect = scope.grid_range(request.get("source"))
    target, row, column = scope.corner(request.get("destination"))
    kind = request.get("pasteType", "PASTE_NORMAL")
    block = _block(scope, source, rect, kind)
    for r in range(rect.start_row, rect.end_row):
        for c in range(rect.start_column, rect.end_column):
            source.grid.put(r, c, None)
    where = Rect(row, row + rect.height, column, column + rect.width)
    scope.make_room(target, where.end_row, where.end_column)
    for r, line in enumerate(block):
        for c, cell in enumerate(line):
            _paste(target, (row + r, column + c), cell, kind)
    return {}


def auto_fill(scope: Scope, request: Json) -> Json:
    """Fill cells with copies of a source, repeated; formulas follow their place.

    By the reference of AutoFillRequest; of its series only numbers go on: 1, 2 with 3, 4.
    """
    sheet, source, target = _filling(scope, request)
    block = _block(scope, sheet, source, "PASTE_NORMAL")
    downwards = target.start_row != source.start_row
    series = [_series(line) for line in (zip(*block, strict=True) if downwards else block)]
    scope.make_room(sheet, target.end_row, target.end_column)
    for row in range(target.start_row, target.end_row):
        for column in range(target.start_column, target.end_column):
            r, c = (row - source.start_row) % source.height, column - source.start_column
            c %= source.width
            offset = row - source.start_row - r, column - source.start_column - c
            cell = _shifted(block[r][c], offset)
            if numbers := series[c if downwards else r]:
                along = row - source.start_row if downwards else column - source.start_column
                step = numbers[1] - numbers[0]
                cell = cell._replace(value=round(numbers[0] + along * step, _PLACES))
            _paste(sheet, (row, column), cell, "PASTE_NORMAL")
    return {}


def _series(cells: Sequence[Cell]) -> list[float]:
    """Return the numbers of cells if they go on by the same step, if there are two at least."""
    numbers = [
        cell.value
        for cell in cells
        if isinstance(cell.value, (int, float))
        and not isinstance(cell.value, bool)
        and abs(cell.value) < _LARGEST
    ]
    steps = {round(after - before, _PLACES) for before, after in pairwise(numbers)}
    return numbers if len(numbers) == len(cells) and len(steps) == 1 else []


def _filling(scope: Scope, request: Json) -> tuple[Sheet, Rect, Rect]:
    """Return the sheet, the source and the cells to fill, of which there may be none."""
    if ("range" in request) == ("sourceAndDestination" in request):
        raise InvalidArgumentError("Exactly one of range, sourceAndDestination must be set")
    if "range" in request:
        sheet, rect = scope.grid_range(request["range"])
        last = sheet.grid.last_filled(rect)
        end = last[0] + 1 if last else rect.end_row
        return sheet, rect._replace(end_row=end), rect._replace(start_row=end)
    asked = request["sourceAndDestination"]
    sheet, rect = scope.grid_range(asked.get("source"))
    dimension, length = dimension_of(asked, "dimension"), int(asked.get("fillLength", 0))
    low, high = rect[:2] if dimension == "ROWS" else rect[2:]
    start, end = (high, high + length) if length > 0 else (low + length, low)
    if start < 0:
        raise InvalidArgumentError(f"fillLength[{length}] leads out of the grid")
    fits = Rect(start, end, *rect[2:]) if dimension == "ROWS" else Rect(*rect[:2], start, end)
    return sheet, rect, fits


def _block(scope: Scope, sheet: Sheet, rect: Rect, kind: str) -> Block:
    evaluator = Evaluator(scope.book, "need")

    def taken(row: int, column: int) -> Cell:
        cell = sheet.grid.get(row, column)
        if kind != "PASTE_VALUES" or cell.formula is None:
            return cell
        value = evaluator.value(sheet, row, column)
        plain = value.code if isinstance(value, CellError) else value
        return cell.changed(value=plain, formula=None) or cell

    return [
        [taken(row, column) for column in range(rect.start_column, rect.end_column)]
        for row in range(rect.start_row, rect.end_row)
    ]


def _shifted(cell: Cell, offset: tuple[int, int]) -> Cell:
    if cell.formula is None:
        return cell
    return cell.changed(formula=copied_formula(cell.formula, *offset)) or cell


def _paste(sheet: Sheet, place: tuple[int, int], cell: Cell, kind: str) -> None:
    old = sheet.grid.get(*place)
    if kind == "PASTE_FORMAT":
        new = old.changed(format=cell.format)
    elif kind in {"PASTE_VALUES", "PASTE_FORMULA"}:
        new = old.changed(value=cell.value, formula=cell.formula)
    elif kind == "PASTE_DATA_VALIDATION":
        new = old.changed(validation=cell.validation)
    else:
        new = cell.changed()
    sheet.grid.put(*place, new)


HANDLERS: dict[str, Handler] = {
    "copyPaste": copy_paste,
    "cutPaste": cut_paste,
    "autoFill": auto_fill,
}
