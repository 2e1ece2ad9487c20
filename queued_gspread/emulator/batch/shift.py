"""Update everything that names an index when cells are inserted, deleted or moved."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.a1 import SIDES, Rect
from queued_gspread.emulator.values.references import moved_formula

if TYPE_CHECKING:
    from queued_gspread.emulator.book.grid import Grid
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet
    from queued_gspread.emulator.values.references import Change

Json = dict[str, Any]
# The parts of a filter that are about a column, and the name of the column's index in each.
_COLUMN_OF = {"filterSpecs": "columnIndex", "sortSpecs": "dimensionIndex"}


@dataclass(frozen=True)
class Shift:
    """Inserts rows or columns before an index, or deletes them from there (negative count)."""

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

    def apply(self, grid: Grid) -> None:
        """Insert or delete rows or columns of a grid."""
        if self.dimension == "ROWS" and self.count > 0:
            grid.insert_rows(self.start, self.count)
        elif self.dimension == "ROWS":
            grid.delete_rows(self.start, self.start - self.count)
        elif self.count > 0:
            grid.insert_columns(self.start, self.count)
        else:
            grid.delete_columns(self.start, self.start - self.count)

    def _left(self, index: int) -> int:
        removed = min(max(index - self.start, 0), -self.count)
        return index - removed


def shift_sheet(book: Spreadsheet, sheet: Sheet, change: Change) -> None:
    """Move the cells of a sheet and everything that refers to them."""
    size = sheet.grid.everything
    change.apply(sheet.grid)
    sheet.merges = [m for m in map(change.rect, sheet.merges) if m and m.height * m.width > 1]
    for merge in sheet.merges:
        # It may have been pushed over the edge without a cell in it.
        sheet.grid.grow(merge.end_row, merge.end_column)
    _shift_dimensions(sheet, change)
    for name in ("protected_ranges", "banded_ranges", "filter_views", "tables"):
        setattr(sheet, name, _shift_ranged(getattr(sheet, name), change, size))
    if sheet.basic_filter:
        sheet.basic_filter = next(iter(_shift_ranged([sheet.basic_filter], change, size)), None)
    sheet.conditional_formats = _shift_rules(sheet.conditional_formats, change, size)
    elsewhere = [n for n in book.named_ranges if n["range"].get("sheetId", 0) != sheet.sheet_id]
    here = [n for n in book.named_ranges if n["range"].get("sheetId", 0) == sheet.sheet_id]
    book.named_ranges = elsewhere + _shift_ranged(here, change, size)
    book.developer_metadata = _shift_metadata(book.developer_metadata, sheet, change)
    _shift_formulas(book, sheet, change)


def _shift_dimensions(sheet: Sheet, change: Change) -> None:
    sheet.groups[change.dimension] = [
        moved
        for moved in (change.span(*span) for span in sheet.groups[change.dimension])
        if moved[1] > moved[0]
    ]
    sheet.collapsed[change.dimension] = [
        (*change.span(start, end), depth) for start, end, depth in sheet.collapsed[change.dimension]
    ]
    properties = sheet.dimensions[change.dimension].items()
    moved_properties = ((change.index(index), found) for index, found in properties)
    sheet.dimensions[change.dimension] = {i: f for i, f in moved_properties if i is not None}


def moved_range(where: Json, change: Change, size: Rect) -> Json | None:
    """Return where a GridRange lies afterwards, None if it is gone; open sides stay open."""
    moved = change.rect(Rect(*map(where.get, SIDES, size)))
    if moved is None:
        return None
    known = zip(SIDES, moved, strict=True)
    return {**where, **{name: index for name, index in known if name in where}}


def _shift_ranged(items: list[Json], change: Change, size: Rect) -> list[Json]:
    kept = []
    for item in items:
        where = moved_range(item.get("range", {}), change, size)
        if where is not None:
            moved = copy.deepcopy(item) | ({"range": where} if "range" in item else {})
            if "unprotectedRanges" in moved:
                moved["unprotectedRanges"] = _moved_ranges(moved["unprotectedRanges"], change, size)
            if isinstance(columns := item.get("columnProperties"), list):
                moved["columnProperties"] = _typed(columns, item["range"], where, change)
            kept.append(_with_moved_columns(moved, change))
    return kept


def _typed(columns: list[Json], old: Json, new: Json, change: Change) -> list[Json]:
    """Return the types of a table's columns, which are counted from its first."""
    if change.dimension != "COLUMNS":
        return columns
    first, name = new["startColumnIndex"], "columnIndex"
    places = ((change.index(old["startColumnIndex"] + c.get(name, 0)), c) for c in columns)
    return [{**column, name: at - first} for at, column in places if at is not None]


def _moved_ranges(ranges: list[Json], change: Change, size: Rect) -> list[Json]:
    """Return where GridRanges lie afterwards, without those that are gone."""
    moved = (moved_range(where, change, size) for where in ranges)
    return [where for where in moved if where is not None]


def _with_moved_columns(item: Json, change: Change) -> Json:
    """Return a filter whose criteria and sort orders follow their columns, or go with them."""
    if change.dimension != "COLUMNS":
        return item
    moved = dict(item)
    if "criteria" in item:
        by_column = ((change.index(int(at)), part) for at, part in item["criteria"].items())
        moved["criteria"] = {str(at): part for at, part in by_column if at is not None}
    for name, key in _COLUMN_OF.items():
        if name in item:
            indices = ((change.index(spec.get(key, 0)), spec) for spec in item[name])
            moved[name] = [spec | {key: at} for at, spec in indices if at is not None]
    return moved


def _shift_rules(rules: list[Json], change: Change, size: Rect) -> list[Json]:
    moved = ({**rule, "ranges": _moved_ranges(rule["ranges"], change, size)} for rule in rules)
    return [rule for rule in moved if rule["ranges"]]


def _shift_metadata(entries: list[Json], sheet: Sheet, change: Change) -> list[Json]:
    """Let metadata follow its row or column, or go with it."""
    kept = []
    for entry in entries:
        where = entry["location"].get("dimensionRange", {})
        moved = entry
        if where.get("dimension") == change.dimension and where["sheetId"] == sheet.sheet_id:
            index = change.index(where["startIndex"])
            if index is None:
                continue
            spot = {**where, "startIndex": index, "endIndex": index + 1}
            moved = {**entry, "location": {**entry["location"], "dimensionRange": spot}}
        kept.append(moved)
    return kept


def _shift_formulas(book: Spreadsheet, changed: Sheet, change: Change) -> None:
    for sheet in (sheet for sheet in book.sheets if sheet.grid.has_formulas):
        for row, column, cell in list(sheet.grid.stored(sheet.grid.everything)):
            if cell.formula is not None:
                formula = moved_formula(cell.formula, sheet.title, changed.title, change)
                if formula != cell.formula:
                    sheet.grid.put(row, column, cell.changed(formula=formula))
