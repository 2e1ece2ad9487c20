"""Ranges as they are read: rows or columns of shown values, without empty ones at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import range_name

from .render import FORMULA, render

if TYPE_CHECKING:
    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Cell, Scalar
    from queued_gspread.emulator.book.sheet import Sheet

    from .evaluate import Evaluator
    from .render import Rendering


def read_range(
    evaluator: Evaluator, sheet: Sheet, rect: Rect, options: Rendering, major: str
) -> dict[str, Any]:
    """Return the ValueRange of some cells; `values` is absent where all are empty."""
    rows = _rows(evaluator, sheet, rect, options)
    lines = _transposed(rows) if major == "COLUMNS" else rows
    answer: dict[str, Any] = {"range": range_name(sheet.title, rect), "majorDimension": major}
    while lines and not lines[-1]:
        lines.pop()
    return answer | ({"values": lines} if lines else {})


def _rows(evaluator: Evaluator, sheet: Sheet, rect: Rect, options: Rendering) -> list[list[Scalar]]:
    def show(row: int, column: int, cell: Cell | None) -> Scalar:
        if cell is None or not cell.is_filled:
            return ""
        if cell.formula is None:
            return render(cell, cell.value, cell.number_format, options)
        if options.value == FORMULA:
            return cell.formula
        value = evaluator.value(sheet, row, column)
        return render(cell, value, evaluator.number_format(sheet, row, column), options)

    rows = []
    for row in range(rect.start_row, rect.end_row):
        cells = sheet.grid.row(row, rect.start_column, rect.end_column)
        while cells and not (cells[-1] and cells[-1].is_filled):
            cells.pop()
        rows.append([show(row, rect.start_column + i, cell) for i, cell in enumerate(cells)])
    return rows


def _transposed(rows: list[list[Scalar]]) -> list[list[Scalar]]:
    width = max(map(len, rows), default=0)
    columns: list[list[Scalar]] = [[] for _ in range(width)]
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if value != "":
                columns[column] += [""] * (place - len(columns[column])) + [value]
    return columns
