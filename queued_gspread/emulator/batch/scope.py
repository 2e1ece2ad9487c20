"""What a handler works on, and the checks that all of them share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from queued_gspread.emulator.errors import InvalidArgumentError
from queued_gspread.emulator.spreadsheet import bounds_of
from queued_gspread.emulator.values.entry import write
from queued_gspread.emulator.values.render import shown
from queued_gspread.emulator.values.writing import LONGEST, TOO_LONG

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator.a1 import Rect
    from queued_gspread.emulator.cell import Cell
    from queued_gspread.emulator.ids import Ids
    from queued_gspread.emulator.sheet import Sheet
    from queued_gspread.emulator.spreadsheet import Spreadsheet

Json = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """The spreadsheet that is changed, a source of ids and the account that changes it."""

    book: Spreadsheet
    ids: Ids
    email: str

    def sheet(self, sheet_id: int | None) -> Sheet:
        """Return a sheet by its id; none means sheet 0, as in Google's JSON."""
        found = self.book.sheet(sheet_id or 0)
        if found is None:
            raise InvalidArgumentError(f"No sheet with id: {sheet_id or 0}")
        return found

    def grid(self, asked: Json) -> Sheet:
        """Return the sheet of a GridRange or a DimensionRange."""
        found = self.book.sheet(asked.get("sheetId", 0))
        if found is None:
            raise InvalidArgumentError(f"No grid with id: {asked.get('sheetId', 0)}")
        return found

    def grid_range(self, asked: Json | None) -> tuple[Sheet, Rect]:
        """Return the sheet and the cells of a GridRange, which has to begin in the grid."""
        asked = asked or {}
        found = self.grid(asked)
        grid = found.grid
        _check_within(asked, "Row", grid.row_count)
        _check_within(asked, "Column", grid.column_count)
        return found, bounds_of(asked).within(grid.row_count, grid.column_count)

    def enter(self, sheet: Sheet, place: tuple[int, int], text: str) -> None:
        """Enter a text into a cell as if it were typed."""
        if len(text) > LONGEST:
            raise InvalidArgumentError(TOO_LONG)
        cell = sheet.grid.get(*place)
        sheet.grid.put(*place, write(cell, text, "USER_ENTERED", self.book.now().year))

    def make_room(self, sheet: Sheet, rows: int, columns: int) -> None:
        """Make a grid at least this large, unless the spreadsheet became too large by it."""
        rows, columns = max(rows, sheet.grid.row_count), max(columns, sheet.grid.column_count)
        self.book.check_size(sheet, rows, columns)
        sheet.grid.grow(rows, columns)

    def dimension_range(self, asked: Json | None) -> tuple[Sheet, str, int, int]:
        """Return the sheet, the dimension and both ends of a DimensionRange."""
        asked = asked or {}
        found = self.grid(asked)
        dimension = str(asked.get("dimension", "ROWS"))
        start = int(asked.get("startIndex", 0))
        end = int(asked.get("endIndex", found.size(dimension)))
        if start >= end:
            message = f"range.endIndex[{end}] must be greater than range.startIndex[{start}]"
            raise InvalidArgumentError(message)
        return found, dimension, start, end


Handler: TypeAlias = "Callable[[Scope, Json], Json]"


def shown_value(cell: Cell) -> str:
    """Return a value that was entered as it is shown."""
    return shown(cell, cell.value)


def _check_within(asked: Json, name: str, count: int) -> None:
    start, end = asked.get(f"start{name}Index", 0), asked.get(f"end{name}Index", count)
    noun = name.lower()
    if start >= count:
        message = f"GridRange.start{name}Index[{start}] is after last {noun} in grid[{count - 1}]"
        raise InvalidArgumentError(message)
    if end <= start:
        message = f"GridRange.end{name}Index[{end}] must be after start{name}Index[{start}]"
        raise InvalidArgumentError(message)


def require_mask(request: Json) -> str:
    """Return a request's `fields`, which an update may not leave out."""
    fields = request.get("fields")
    if not fields:
        raise InvalidArgumentError(
            "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)"
        )
    return str(fields)
