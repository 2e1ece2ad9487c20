"""A sheet: its properties, its grid and what is attached to ranges of it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from .grid import Grid

if TYPE_CHECKING:
    from .a1 import Rect

DEFAULT_ROWS = 1000
DEFAULT_COLUMNS = 26
Span = tuple[int, int]


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
        self.groups: dict[str, list[Span]] = {"ROWS": [], "COLUMNS": []}
        self.dimensions: dict[str, dict[int, dict[str, Any]]] = {"ROWS": {}, "COLUMNS": {}}

    def copy(self, sheet_id: int, title: str) -> Sheet:
        """Return a sheet with the same content."""
        other = Sheet(sheet_id, title)
        other.grid = self.grid.copy()
        other.merges = list(self.merges)
        for name in ("properties", "grid_properties", "basic_filter", "protected_ranges"):
            setattr(other, name, copy.deepcopy(getattr(self, name)))
        other.groups = copy.deepcopy(self.groups)
        other.dimensions = copy.deepcopy(self.dimensions)
        return other

    @property
    def is_hidden(self) -> bool:
        """Whether the sheet is hidden."""
        return bool(self.properties.get("hidden"))

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
        """Return a GridRange; as in Google's answers, sheet 0 goes without its id."""
        found = {"sheetId": self.sheet_id} if self.sheet_id else {}
        return found | {
            "startRowIndex": rect.start_row,
            "endRowIndex": rect.end_row,
            "startColumnIndex": rect.start_column,
            "endColumnIndex": rect.end_column,
        }
