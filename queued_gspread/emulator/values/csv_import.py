"""A CSV file as the new content of a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.cell import EMPTY, LONGEST
from queued_gspread.emulator.book.sheet import DEFAULT_COLUMNS, DEFAULT_ROWS, Sheet
from queued_gspread.emulator.book.spreadsheet import check_total, check_width
from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .entry import write
from .writing import TOO_LONG

if TYPE_CHECKING:
    from queued_gspread.emulator.book.ids import Ids
    from queued_gspread.emulator.book.spreadsheet import Spreadsheet


def csv_rows(text: str, mark: str = ",") -> list[list[str]]:
    """Return the texts between separators, row by row; raise InvalidArgumentError if not CSV."""
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=mark))
    except csv.Error as problem:
        raise InvalidArgumentError(f"The text cannot be read as CSV: {problem}") from None
    if any(len(field) > LONGEST for row in rows for field in row):
        raise InvalidArgumentError(TOO_LONG)
    return rows


def import_csv(book: Spreadsheet, content: bytes, ids: Ids) -> None:
    """Replace all sheets by one, named like the file, with values as if typed.

    Raises InvalidArgumentError, and changes nothing, if the file is not CSV or too large.
    """
    rows = csv_rows(content.decode("utf-8-sig", "replace"))
    sheet = Sheet(ids.sheet(), book.title)
    width = max(map(len, rows), default=0)
    sheet.grid.grow(max(len(rows), DEFAULT_ROWS), max(width, DEFAULT_COLUMNS))
    check_width(sheet.grid.column_count)
    check_total(sheet.grid.row_count * sheet.grid.column_count)
    year = book.now().year
    for row, line in enumerate(rows):
        for column, text in enumerate(line):
            sheet.grid.put(row, column, write(EMPTY, text, "USER_ENTERED", year))
    book.sheets = [sheet]
    # Recorded: the converter does not keep the time zone.
    book.properties["timeZone"] = "America/Los_Angeles"
    book.named_ranges = []
    book.developer_metadata = []
