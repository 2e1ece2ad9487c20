"""Cells as the CellData of `spreadsheets.get`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.cell import CellError
from queued_gspread.emulator.book.not_computed import NotComputed
from queued_gspread.emulator.values.render import plain, shown

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Cell, Scalar, Value
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.values.evaluate import Evaluator

Json = dict[str, Any]
_ERROR_TYPES = {
    "#DIV/0!": "DIVIDE_BY_ZERO",
    "#VALUE!": "VALUE",
    "#REF!": "REF",
    "#NAME?": "NAME",
    "#NUM!": "NUM",
    "#N/A": "N_A",
    "#ERROR!": "ERROR",
}


def row_data(
    evaluator: Evaluator, sheet: Sheet, rect: Rect, with_values: bool = True
) -> list[Json]:
    """Return the RowData of a rectangle, without what is empty at the end."""
    rows: list[Json] = []
    for row in range(rect.start_row, rect.end_row):
        cells = sheet.grid.row(row, rect.start_column, rect.end_column)
        values = [
            cell_data(cell, evaluator, sheet, row, column, with_values) if cell else {}
            for column, cell in enumerate(cells, rect.start_column)
        ]
        rows.append({"values": values} if values else {})
    while rows and not rows[-1]:
        rows.pop()
    return rows


def cell_data(
    cell: Cell, evaluator: Evaluator, sheet: Sheet, row: int, column: int, with_values: bool
) -> Json:
    """Return the CellData of a cell, with what it computes to or without."""
    found: Json = {}
    value = evaluator.value(sheet, row, column) if with_values else None
    if cell.formula is not None:
        found["userEnteredValue"] = {"formulaValue": cell.formula}
    elif cell.value is not None:
        found["userEnteredValue"] = _extended(cell.value)
    if cell.is_filled and value is not None:
        found["effectiveValue"] = _effective(value)
        found["formattedValue"] = shown(cell, value, evaluator.number_format(sheet, row, column))
    if link := evaluator.link(sheet, row, column) if with_values else "":
        found["hyperlink"] = link
    if cell.format:
        found["userEnteredFormat"] = dict(cell.format)
        found["effectiveFormat"] = dict(cell.format)
    if cell.runs:
        found["textFormatRuns"] = [dict(run) for run in cell.runs]
    if cell.note:
        found["note"] = cell.note
    if cell.validation:
        found["dataValidation"] = dict(cell.validation)
    return found


def _effective(value: Value) -> Json:
    if isinstance(value, CellError):
        why = (
            f"The emulator does not compute {value.what}." if isinstance(value, NotComputed) else ""
        )
        return {"errorValue": {"type": _ERROR_TYPES.get(value.code, "ERROR"), "message": why}}
    return _extended(value)


def _extended(value: Scalar) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    return {"numberValue": plain(value)}
