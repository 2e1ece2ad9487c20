"""Ranges as they are written: checked as a whole, then applied, then counted."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from queued_gspread.emulator.book.a1 import Bounds, Rect, column_letters, range_name
from queued_gspread.emulator.book.cell import LONGEST
from queued_gspread.emulator.book.spreadsheet import exceeds_grid
from queued_gspread.emulator.wire.errors import (
    InvalidArgumentError,
    invalid,
    invalid_fields,
)
from queued_gspread.emulator.wire.proto_text import proto_text

from .entry import write
from .missing import note_written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.emulator.book.cell import Scalar
    from queued_gspread.emulator.book.sheet import Sheet
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet

Rows = list[list["Scalar"]]
_LIST_VALUE = "type.googleapis.com/google.protobuf.ListValue"
TOO_LONG = f"Your input contains more than the maximum of {LONGEST} characters in a single cell."


class Writing(NamedTuple):
    """Values about to be written, from the top left cell of rect on.

    `asked` is the range that was asked for, which may be larger; None for a single cell.
    """

    sheet: Sheet
    rect: Rect
    rows: Rows
    asked: Rect | None = None

    def cells(self) -> Iterator[tuple[int, int, Scalar]]:
        """Yield row, column and value of what is written: null is not."""
        for row, line in enumerate(self.rows, self.rect.start_row):
            for column, value in enumerate(line, self.rect.start_column):
                if value is not None:
                    yield row, column, value

    @property
    def written(self) -> Rect:
        """The cells up to the last row and column that are written to; at least the first one."""
        top, left = self.rect.start_row, self.rect.start_column
        ends = [_end(line) for line in self.rows]
        height = max((row for row, end in enumerate(ends, 1) if end), default=1)
        return Rect(top, top + height, left, left + max(*ends, 1, 1))


def _end(line: list[Scalar]) -> int:
    """Return how long a row is without the nulls at its end."""
    return next((end for end in range(len(line), 0, -1) if line[end - 1] is not None), 0)


def checked_values(body: dict[str, Any], field: str = "data") -> Rows:
    """Return the rows of a ValueRange; raise Google's error for a malformed one."""
    values = body.get("values") or []
    _check_lists([(f"{field}.values", values)])
    _check_lists([(f"{field}.values[{place}]", line) for place, line in enumerate(values)])
    for place, line in enumerate(values):
        for column, value in enumerate(line):
            if isinstance(value, str) and len(value) > LONGEST:
                raise invalid(TOO_LONG)
            if not _fits_a_cell(value):
                where = "" if field == "data" else f"Invalid {field}: "
                raise invalid(f"{where}Invalid values[{place}][{column}]: {proto_text(value)}")
    if major_of(body) == "COLUMNS":
        return _transposed(values)
    return [list(line) for line in values]


def _fits_a_cell(value: object) -> bool:
    """Whether a value is neither a list nor an object, nor a number beyond all floats."""
    if isinstance(value, (int, float)):
        return abs(value) <= sys.float_info.max
    return not isinstance(value, (list, dict))


def major_of(options: dict[str, Any]) -> str:
    """Return the majorDimension of a ValueRange or of a reading: ROWS if there is none."""
    return "COLUMNS" if options.get("majorDimension") == "COLUMNS" else "ROWS"


def _check_lists(fields: list[tuple[str, object]]) -> None:
    """Raise Google's error for fields that should be lists, for all of them at once."""
    wrong = [
        (name, f"Invalid value at '{name}' ({_LIST_VALUE}), {json.dumps(value)}")
        for name, value in fields
        if not isinstance(value, list)
    ]
    if wrong:
        raise invalid_fields(wrong)


def _transposed(columns: Rows) -> Rows:
    height = max(map(len, columns), default=0)
    rows: Rows = []
    for row in range(height):
        # A column that ends early leaves its cells as they are, as null does.
        rows.append([column[row] if row < len(column) else None for column in columns])
    return rows


def extent(row: int, column: int, rows: Rows) -> Rect:
    """Return the cells that rows fill from a cell on; at least that one."""
    width = max(map(len, rows), default=0)
    return Rect(row, row + max(len(rows), 1), column, column + max(width, 1))


def plan_update(sheet: Sheet, bounds: Bounds, rows: Rows) -> Writing:
    """Return the write of an update; raise if the values do not fit the range or the grid."""
    rect = extent(bounds.start_row or 0, bounds.start_column or 0, rows)
    if not bounds.is_cell:
        _check_fits(sheet, bounds, rect)
    if rect.end_row > sheet.grid.row_count or rect.end_column > sheet.grid.column_count:
        raise InvalidArgumentError(exceeds_grid(sheet, Bounds(*rect)))
    grid = sheet.grid
    asked = None if bounds.is_cell else bounds.within(grid.row_count, grid.column_count)
    return Writing(sheet, rect, rows, asked)


def _check_fits(sheet: Sheet, bounds: Bounds, rect: Rect) -> None:
    end_row = rect.end_row if bounds.end_row is None else bounds.end_row
    end_column = rect.end_column if bounds.end_column is None else bounds.end_column
    if rect.end_row > end_row:
        beyond = f"row [{end_row + 1}]"
    elif rect.end_column > end_column:
        beyond = f"column [{column_letters(end_column)}]"
    else:
        return
    grid = sheet.grid
    whole = bounds.within(max(grid.row_count, end_row), max(grid.column_count, end_column))
    asked = range_name(sheet.title, whole)
    message = f"Requested writing within range [{asked}], but tried writing to {beyond}"
    raise InvalidArgumentError(message)


def apply_writing(book: Spreadsheet, writing: Writing, option: str) -> dict[str, Any]:
    """Write values and return what was updated; null leaves a cell as it is, uncounted.

    What a merge hides is counted and not kept.

    The range ends with the last row and the last column of which a cell was written.
    """
    sheet, year = writing.sheet, book.now().year
    grid = sheet.grid
    rows, columns, count = set[int](), set[int](), 0
    for row, column, value in writing.cells():
        rows.add(row)
        columns.add(column)
        count += 1
        if sheet.merges and sheet.hides(row, column):
            continue
        cell = write(grid.get(row, column), value, option, year)
        grid.put(row, column, cell)
        note_written(book, sheet, row, column, cell)
    counts = {"updatedRows": len(rows), "updatedColumns": len(columns), "updatedCells": count}
    answer = {"updatedRange": range_name(sheet.title, writing.written)}
    return answer | (counts if count else {})
