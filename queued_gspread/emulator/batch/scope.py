"""The spreadsheet that a handler changes, and the checks that all handlers share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from queued_gspread.emulator.book.cell import LONGEST
from queued_gspread.emulator.book.sheet import ATTACHED
from queued_gspread.emulator.values.entry import write
from queued_gspread.emulator.values.missing import note_written
from queued_gspread.emulator.values.render import shown
from queued_gspread.emulator.values.writing import TOO_LONG
from queued_gspread.emulator.wire.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.emulator.book.a1 import Rect
    from queued_gspread.emulator.book.cell import Cell
    from queued_gspread.emulator.book.ids import Ids
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

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
        """Return the sheet and the cells of a GridRange, which must begin in the grid."""
        found, bounds = self.book.grid_range(asked or {})
        return found, bounds.within(found.grid.row_count, found.grid.column_count)

    def attached(self, kind: str, wanted: int | str | None) -> tuple[Sheet, Json]:
        """Return the attachment of this kind with this id, and its sheet."""
        for sheet in self.book.sheets:
            for item in getattr(sheet, kind):
                if item[ATTACHED[kind]] == wanted:
                    return sheet, item
        raise InvalidArgumentError(f"No {_noun(kind)} with id: {wanted}")

    def attached_id(self, kind: str, asked: Json) -> int:
        """Return the id for a new attachment of this kind: a free one, or the one asked for."""
        wanted = asked.get(ATTACHED[kind])
        items = (item for sheet in self.book.sheets for item in getattr(sheet, kind))
        if wanted and any(item[ATTACHED[kind]] == wanted for item in items):
            raise InvalidArgumentError(f"A {_noun(kind)} with id {wanted} already exists")
        return wanted or self.ids.sheet()

    def corner(self, asked: Json | None) -> tuple[Sheet, int, int]:
        """Return the sheet, the row and the column of a GridCoordinate, which is in the grid."""
        asked = asked or {}
        row, column = asked.get("rowIndex", 0), asked.get("columnIndex", 0)
        start = {"startRowIndex": row, "startColumnIndex": column}
        sheet, _ = self.grid_range({"sheetId": asked.get("sheetId", 0), **start})
        return sheet, row, column

    def enter(self, sheet: Sheet, place: tuple[int, int], text: str) -> None:
        """Enter a text into a cell as if it were typed."""
        check_length(text)
        cell = write(sheet.grid.get(*place), text, "USER_ENTERED", self.book.now().year)
        sheet.grid.put(*place, cell)
        note_written(self.book, sheet, *place, cell)

    def make_room(self, sheet: Sheet, rows: int, columns: int) -> None:
        """Make a grid at least this large; raise if the spreadsheet would become too large."""
        rows, columns = max(rows, sheet.grid.row_count), max(columns, sheet.grid.column_count)
        self.book.check_size(sheet, rows, columns)
        sheet.grid.grow(rows, columns)

    def dimension_range(self, asked: Json | None) -> tuple[Sheet, str, int, int]:
        """Return the sheet, the dimension and both ends of a DimensionRange."""
        asked = asked or {}
        found = self.grid(asked)
        dimension = dimension_of(asked, "dimension", "ROWS")
        start = int(asked.get("startIndex", 0))
        end = int(asked.get("endIndex", found.size(dimension)))
        if start < 0:
            raise InvalidArgumentError(f"range.startIndex[{start}] must not be negative")
        if start >= end:
            message = f"range.endIndex[{end}] must be greater than range.startIndex[{start}]"
            raise InvalidArgumentError(message)
        return found, dimension, start, end


Handler: TypeAlias = "Callable[[Scope, Json], Json]"


def shown_value(cell: Cell) -> str:
    """Return an entered value as it is shown."""
    return shown(cell, cell.value)


def _noun(kind: str) -> str:
    return kind.removesuffix("s").replace("_", " ")


def check_length(entered: object) -> None:
    """Raise if a text is longer than a cell may hold."""
    if isinstance(entered, str) and len(entered) > LONGEST:
        raise InvalidArgumentError(TOO_LONG)


def dimension_of(asked: Json, name: str, default: str | None = None) -> str:
    """Return a field that must be ROWS or COLUMNS."""
    dimension = asked.get(name, default)
    if dimension not in ("ROWS", "COLUMNS"):
        raise InvalidArgumentError(f"{name} must be ROWS or COLUMNS, was {dimension}")
    return str(dimension)


def require_mask(request: Json) -> str:
    """Return a request's `fields`, which an update must have."""
    fields = request.get("fields")
    if not fields:
        raise InvalidArgumentError(
            "At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)"
        )
    return str(fields)
