"""A CSV file as the new content of a spreadsheet."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from .cell import EMPTY
from .sheet import DEFAULT_COLUMNS, DEFAULT_ROWS, Sheet
from .values.entry import write

if TYPE_CHECKING:
    from .ids import Ids
    from .spreadsheet import Spreadsheet


def import_csv(book: Spreadsheet, content: bytes, ids: Ids) -> None:
    """Replace all sheets by one, named like the file, with values as if typed."""
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig", "replace"))))
    sheet = Sheet(ids.sheet(), book.title)
    width = max(map(len, rows), default=0)
    sheet.grid.grow(max(len(rows), DEFAULT_ROWS), max(width, DEFAULT_COLUMNS))
    year = book.now().year
    for row, line in enumerate(rows):
        for column, text in enumerate(line):
            sheet.grid.put(row, column, write(EMPTY, text, "USER_ENTERED", year))
    book.sheets = [sheet]
    # Recorded: the converter does not keep the time zone.
    book.properties["timeZone"] = "America/Los_Angeles"
    book.named_ranges = []
    book.developer_metadata = []
