"""What moves when rows or columns are inserted or deleted: everything that names an index."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .a1 import Rect
from .values.references import moved_formula

if TYPE_CHECKING:
    from .sheet import Sheet
    from .spreadsheet import Spreadsheet


@dataclass(frozen=True)
class Shift:
    """Rows or columns coming in before an index (count above zero) or leaving from there."""

    dimension: str
    start: int
    count: int

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a half-open span lies afterwards; empty if it is gone."""
        if self.count > 0:
            return (
                start + self.count if start >= self.start else start,
                end + self.count if end > self.start else end,
            )
        return self._left(start), self._left(end)

    def index(self, index: int) -> int | None:
        """Return where a single row or column lies afterwards, None if it is gone."""
        start, end = self.span(index, index + 1)
        return start if end > start else None

    def rect(self, rect: Rect) -> Rect | None:
        """Return where a rectangle lies afterwards, None if it is gone."""
        if self.dimension == "ROWS":
            moved = Rect(*self.span(rect.start_row, rect.end_row), *rect[2:])
        else:
            moved = Rect(*rect[:2], *self.span(rect.start_column, rect.end_column))
        return moved if moved.height > 0 and moved.width > 0 else None

    def _left(self, index: int) -> int:
        removed = min(max(index - self.start, 0), -self.count)
        return index - removed


def shift_sheet(book: Spreadsheet, sheet: Sheet, shift: Shift) -> None:
    """Insert or delete rows or columns of a sheet and move what refers to them."""
    _shift_grid(sheet, shift)
    sheet.merges = [m for m in map(shift.rect, sheet.merges) if m and m.height * m.width > 1]
    sheet.groups[shift.dimension] = [
        moved
        for moved in (shift.span(*span) for span in sheet.groups[shift.dimension])
        if moved[1] > moved[0]
    ]
    metadata = sheet.dimensions[shift.dimension].items()
    moved_metadata = ((shift.index(index), found) for index, found in metadata)
    sheet.dimensions[shift.dimension] = {i: found for i, found in moved_metadata if i is not None}
    sheet.protected_ranges = _shift_ranged(sheet.protected_ranges, shift)
    if sheet.basic_filter:
        sheet.basic_filter = next(iter(_shift_ranged([sheet.basic_filter], shift)), None)
    elsewhere = [n for n in book.named_ranges if n["range"].get("sheetId", 0) != sheet.sheet_id]
    here = [n for n in book.named_ranges if n["range"].get("sheetId", 0) == sheet.sheet_id]
    book.named_ranges = elsewhere + _shift_ranged(here, shift)
    _shift_formulas(book, sheet, shift)


def _shift_grid(sheet: Sheet, shift: Shift) -> None:
    grid, start, count = sheet.grid, shift.start, shift.count
    if shift.dimension == "ROWS" and count > 0:
        grid.insert_rows(start, count)
    elif shift.dimension == "ROWS":
        grid.delete_rows(start, start - count)
    elif count > 0:
        grid.insert_columns(start, count)
    else:
        grid.delete_columns(start, start - count)


def _shift_ranged(items: list[dict[str, Any]], shift: Shift) -> list[dict[str, Any]]:
    name = "Row" if shift.dimension == "ROWS" else "Column"
    first, last = f"start{name}Index", f"end{name}Index"
    kept = []
    for item in items:
        moved = copy.deepcopy(item)
        where = moved.get("range", {})
        if first in where and last in where:
            where[first], where[last] = shift.span(where[first], where[last])
            if where[first] >= where[last]:
                continue
        kept.append(moved)
    return kept


def _shift_formulas(book: Spreadsheet, changed: Sheet, shift: Shift) -> None:
    for sheet in (sheet for sheet in book.sheets if sheet.grid.has_formulas):
        for row, column, cell in list(sheet.grid.stored(sheet.grid.everything)):
            if cell.formula is not None:
                formula = moved_formula(cell.formula, sheet.title, changed.title, shift)
                if formula != cell.formula:
                    sheet.grid.put(row, column, cell.changed(formula=formula))
