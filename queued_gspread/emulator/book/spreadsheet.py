"""A spreadsheet: its properties, its sheets and its named ranges."""

from __future__ import annotations

import copy
import random
from datetime import timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .a1 import Bounds, bounds_of, parse_bounds, range_name, split_title
from .not_computed import Gaps
from .theme import default_properties
from .timestamps import utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, tzinfo

    from .sheet import Sheet

MAX_CELLS = 10_000_000
# Attributes that a spreadsheet shares with the whole emulator and does not own.
SURROUNDINGS = ("clock", "chance", "gaps")
MAX_COLUMNS = 18_278


class Spreadsheet:
    """What the Sheets API shows of one file."""

    def __init__(self, spreadsheet_id: str, title: str, sheets: list[Sheet]) -> None:
        """Make a spreadsheet with these sheets and Google's default properties."""
        self.spreadsheet_id = spreadsheet_id
        self.properties: dict[str, Any] = {"title": title, **default_properties()}
        self.developer_metadata: list[dict[str, Any]] = []
        self.sheets = sheets
        self.named_ranges: list[dict[str, Any]] = []
        self.clock: Callable[[], datetime] = utc_now
        self.chance: Callable[[], float] = random.random
        self.gaps = Gaps()

    @property
    def title(self) -> str:
        """The title, which is also the file's name."""
        return str(self.properties["title"])

    def copy(self, spreadsheet_id: str, title: str) -> Spreadsheet:
        """Return a spreadsheet with the same content, sharing no changeable part."""
        sheets = [sheet.copy(sheet.sheet_id, sheet.title) for sheet in self.sheets]
        other = Spreadsheet(spreadsheet_id, title, sheets)
        other.developer_metadata = copy.deepcopy(self.developer_metadata)
        other.properties = {**copy.deepcopy(self.properties), "title": title}
        other.named_ranges = copy.deepcopy(self.named_ranges)
        for name in SURROUNDINGS:
            setattr(other, name, getattr(self, name))
        return other

    def now(self) -> datetime:
        """Return the present time of the spreadsheet's time zone; UTC if that is not known."""
        moment = self.clock()
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=timezone.utc)
        try:
            zone: tzinfo = ZoneInfo(self.properties.get("timeZone", ""))
        except (ValueError, LookupError, OSError):
            zone = timezone.utc
        return moment.astimezone(zone)

    def restore(self, earlier: Spreadsheet) -> None:
        """Restore the content of an earlier copy."""
        self.properties = earlier.properties
        self.sheets = earlier.sheets
        self.named_ranges = earlier.named_ranges
        self.developer_metadata = earlier.developer_metadata

    def sheet(self, sheet_id: int) -> Sheet | None:
        """Return the sheet with this id, if there is one."""
        return next((sheet for sheet in self.sheets if sheet.sheet_id == sheet_id), None)

    def titled(self, title: str) -> Sheet | None:
        """Return the sheet with this title, if there is one; the case does not matter."""
        folded = title.casefold()
        exact = (sheet for sheet in self.sheets if sheet.title == title)
        alike = (sheet for sheet in self.sheets if sheet.title.casefold() == folded)
        return next(exact, None) or next(alike, None)

    def check_size(self, sheet: Sheet, rows: int, columns: int) -> None:
        """Raise if a sheet is too wide, or would make all sheets together too large."""
        check_width(columns)
        others = (s.grid.row_count * s.grid.column_count for s in self.sheets if s is not sheet)
        check_total(sum(others) + rows * columns)

    def find(self, text: str) -> tuple[Sheet, Bounds]:
        """Return what a range in A1 notation, a sheet's title or a range's name stands for."""
        found = self._lookup(text)
        if found is None:
            raise InvalidArgumentError(f"Unable to parse range: {text}")
        sheet, bounds = found
        grid = sheet.grid
        rows, columns = bounds.start_row or 0, bounds.start_column or 0
        if rows >= grid.row_count or columns >= grid.column_count:
            raise InvalidArgumentError(exceeds_grid(sheet, bounds))
        return found

    def grid_range(self, asked: dict[str, Any]) -> tuple[Sheet, Bounds]:
        """Return the sheet and the bounds of a GridRange, which must begin in the grid."""
        sheet = self.sheet(asked.get("sheetId", 0))
        if sheet is None:
            raise InvalidArgumentError(f"No grid with id: {asked.get('sheetId', 0)}")
        _check_within(asked, "Row", sheet.grid.row_count)
        _check_within(asked, "Column", sheet.grid.column_count)
        return sheet, bounds_of(asked)

    def _lookup(self, text: str) -> tuple[Sheet, Bounds] | None:
        title, cells = split_title(text)
        if title is not None:
            sheet = self.titled(title)
            if sheet is None:
                return None
            if cells is None:
                return sheet, Bounds()
            bounds = parse_bounds(cells)
            return (sheet, bounds) if bounds else self._named(cells)
        bounds = parse_bounds(text)
        if bounds:
            return self.sheets[0], bounds
        sheet = self.titled(text)
        return (sheet, Bounds()) if sheet else self._named(text)

    def _named(self, name: str) -> tuple[Sheet, Bounds] | None:
        for named in self.named_ranges:
            if named["name"].casefold() == name.casefold():
                where = named["range"]
                sheet = self.sheet(where.get("sheetId", 0))
                return (sheet, bounds_of(where)) if sheet else None
        return None


def check_width(columns: int) -> None:
    """Raise if a sheet would have more columns than there are names for: the last is ZZZ."""
    if columns > MAX_COLUMNS:
        limit = f"above the limit of {MAX_COLUMNS} columns."
        raise InvalidArgumentError(
            f"This action would increase the number of columns in the sheet {limit}"
        )


def check_total(cells: int) -> None:
    """Raise if a spreadsheet would have more cells than allowed."""
    if cells > MAX_CELLS:
        limit = f"above the limit of {MAX_CELLS} cells."
        raise InvalidArgumentError(
            f"This action would increase the number of cells in the workbook {limit}"
        )


def _check_within(asked: dict[str, Any], name: str, count: int) -> None:
    start, end = asked.get(f"start{name}Index", 0), asked.get(f"end{name}Index", count)
    noun = name.lower()
    if start < 0:
        raise InvalidArgumentError(f"GridRange.start{name}Index[{start}] must not be negative")
    if start >= count:
        message = f"GridRange.start{name}Index[{start}] is after last {noun} in grid[{count - 1}]"
        raise InvalidArgumentError(message)
    if end <= start:
        message = f"GridRange.end{name}Index[{end}] must be after start{name}Index[{start}]"
        raise InvalidArgumentError(message)


def exceeds_grid(sheet: Sheet, bounds: Bounds) -> str:
    """Return the message for a range that begins, or is written, beyond the grid."""
    grid = sheet.grid
    rows = max(grid.row_count, bounds.end_row or 0)
    columns = max(grid.column_count, bounds.end_column or 0)
    asked = range_name(sheet.title, bounds.within(rows, columns))
    size = f"Max rows: {grid.row_count}, max columns: {grid.column_count}"
    return f"Range ({asked}) exceeds grid limits. {size}"
