"""A sheet: its properties, its grid and what is attached to ranges of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .a1 import SIDES, Rect, bounds_of
from .grid import Grid

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_ROWS = 1000
DEFAULT_COLUMNS = 26
Span = tuple[int, int]
# The kinds of attachments to ranges, with the names of their ids.
ATTACHED = {
    "protected_ranges": "protectedRangeId",
    "banded_ranges": "bandedRangeId",
    "filter_views": "filterViewId",
    "tables": "tableId",
    "charts": "chartId",
    "slicers": "slicerId",
    "conditional_formats": "",
}


class Sheet:
    """One sheet of a spreadsheet. Its index is its place in the spreadsheet's list."""

    def __init__(
        self, sheet_id: int, title: str, rows: int = DEFAULT_ROWS, columns: int = DEFAULT_COLUMNS
    ) -> None:
        """Make an empty sheet."""
        self.sheet_id = sheet_id
        self.title = title
        self.grid = Grid(rows, columns)
        self.properties: dict[str, Any] = {}
        self.grid_properties: dict[str, Any] = {}
        self.merges: list[Rect] = []
        self.basic_filter: dict[str, Any] | None = None
        self.protected_ranges: list[dict[str, Any]] = []
        self.banded_ranges: list[dict[str, Any]] = []
        self.filter_views: list[dict[str, Any]] = []
        self.tables: list[dict[str, Any]] = []
        self.charts: list[dict[str, Any]] = []
        self.slicers: list[dict[str, Any]] = []
        self.conditional_formats: list[dict[str, Any]] = []
        self.groups: dict[str, list[Span]] = {"ROWS": [], "COLUMNS": []}
        # The groups that are collapsed: where they begin and end, and their depth.
        self.collapsed: dict[str, list[tuple[int, int, int]]] = {"ROWS": [], "COLUMNS": []}
        self.dimensions: dict[str, dict[int, dict[str, Any]]] = {"ROWS": {}, "COLUMNS": {}}

    def copy(self, sheet_id: int, title: str) -> Sheet:
        """Return a sheet with the same content."""
        other = Sheet(sheet_id, title)
        other.grid = self.grid.copy()
        other.merges = list(self.merges)
        other.properties = copy.deepcopy(self.properties)
        other.grid_properties = copy.deepcopy(self.grid_properties)
        other.basic_filter = self.basic_filter and _at_home(self.basic_filter, sheet_id)
        for name in ATTACHED:
            setattr(other, name, [_at_home(item, sheet_id) for item in getattr(self, name)])
        other.groups = copy.deepcopy(self.groups)
        other.collapsed = copy.deepcopy(self.collapsed)
        other.dimensions = copy.deepcopy(self.dimensions)
        return other

    def renumber(self, new_id: Callable[[], int]) -> None:
        """Give attachments with ids new ones, as a copy within a spreadsheet needs."""
        for name, key in ATTACHED.items():
            for item in getattr(self, name) if key else ():
                item[key] = new_id() if isinstance(item[key], int) else str(new_id())

    @property
    def is_hidden(self) -> bool:
        """Whether the sheet is hidden."""
        return bool(self.properties.get("hidden"))

    def hides(self, row: int, column: int) -> bool:
        """Whether a merge hides this cell, as it does all but its first."""
        cell = Rect(row, row + 1, column, column + 1)
        return any(merge.holds(cell) and merge[::2] != cell[::2] for merge in self.merges)

    def size(self, dimension: str) -> int:
        """Return the number of ROWS or COLUMNS."""
        return self.grid.row_count if dimension == "ROWS" else self.grid.column_count

    def properties_json(self, index: int) -> dict[str, Any]:
        """Return the SheetProperties of this sheet at this place."""
        grid = {"rowCount": self.grid.row_count, "columnCount": self.grid.column_count}
        return {
            "sheetId": self.sheet_id,
            "title": self.title,
            "index": index,
            "sheetType": "GRID",
            "gridProperties": {**grid, **self.grid_properties},
            **self.properties,
        }

    def range_json(self, rect: Rect) -> dict[str, int]:
        """Return a GridRange; as in Google's answers, without the id of sheet 0."""
        return owned_range(dict(zip(SIDES, rect, strict=True)), self.sheet_id)

    def bands(self, rect: Rect) -> bool:
        """Whether a table or alternating colours share a cell with a rectangle."""
        size = self.grid.row_count, self.grid.column_count
        there = (item["range"] for item in (*self.tables, *self.banded_ranges))
        return any(bounds_of(where).within(*size).overlaps(rect) for where in there)


def owned_range(where: dict[str, Any], sheet_id: int) -> dict[str, Any]:
    """Return a GridRange moved to this sheet; as in Google's answers, without the id of sheet 0."""
    sides = {name: side for name, side in where.items() if name != "sheetId"}
    return {"sheetId": sheet_id, **sides} if sheet_id else sides


def _at_home(item: dict[str, Any], sheet_id: int) -> dict[str, Any]:
    """Return a copy of what is attached to ranges, attached to another sheet's."""
    found = copy.deepcopy(item)
    if "range" in found:
        found["range"] = owned_range(found["range"], sheet_id)
    if "position" in found:
        place = found["position"]["overlayPosition"]
        place["anchorCell"] = owned_range(place["anchorCell"], sheet_id)
    for name in ("ranges", "unprotectedRanges"):
        if name in found:
            found[name] = [owned_range(where, sheet_id) for where in found[name]]
    return found
