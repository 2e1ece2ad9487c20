"""A1 notation as data: half-open rectangles, parsed and written as Google writes them."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_PART = re.compile(r"\$?([A-Za-z]{1,3})?\$?([1-9][0-9]*)?")
_NUMBERED = re.compile(
    r"R([1-9][0-9]*)C([1-9][0-9]*)(?::R([1-9][0-9]*)C([1-9][0-9]*))?", re.IGNORECASE
)
_QUOTED = re.compile(r"'((?:[^']|'')*)'(?:!(.*))?", re.DOTALL)
_PLAIN_TITLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_LIKE_A_CELL = re.compile(r"[A-Za-z]{1,3}[0-9]+|[Rr][0-9]*[Cc][0-9]*")
_LETTERS = 26
# The names of a rectangle's sides in a GridRange, in the order of Rect and Bounds.
SIDES = ("startRowIndex", "endRowIndex", "startColumnIndex", "endColumnIndex")


class Rect(NamedTuple):
    """Cells by zero-based indices, ends exclusive."""

    start_row: int
    end_row: int
    start_column: int
    end_column: int

    @property
    def height(self) -> int:
        """The number of rows."""
        return self.end_row - self.start_row

    @property
    def width(self) -> int:
        """The number of columns."""
        return self.end_column - self.start_column

    def overlaps(self, other: Rect) -> bool:
        """Whether the two share a cell."""
        rows = self.start_row < other.end_row and other.start_row < self.end_row
        return rows and (
            self.start_column < other.end_column and other.start_column < self.end_column
        )

    def holds(self, other: Rect) -> bool:
        """Whether every cell of the other is in this one."""
        rows = self.start_row <= other.start_row and other.end_row <= self.end_row
        return rows and (
            self.start_column <= other.start_column and other.end_column <= self.end_column
        )


class Bounds(NamedTuple):
    """A range as requested: a side that is None is open, up to the edge of the grid."""

    start_row: int | None = None
    end_row: int | None = None
    start_column: int | None = None
    end_column: int | None = None

    def within(self, rows: int, columns: int) -> Rect:
        """Return the cells in a grid of this size; what lies beyond it is cut off."""
        return Rect(
            self.start_row or 0,
            rows if self.end_row is None else min(self.end_row, rows),
            self.start_column or 0,
            columns if self.end_column is None else min(self.end_column, columns),
        )

    @property
    def is_cell(self) -> bool:
        """Whether this names a single cell, from which a write may extend."""
        if self.end_row is None or self.end_column is None:
            return False
        return (self.start_row or 0) + 1 == self.end_row and (
            (self.start_column or 0) + 1 == self.end_column
        )


def bounds_of(grid_range: dict[str, Any]) -> Bounds:
    """Return the bounds that a GridRange states."""
    return Bounds(*map(grid_range.get, SIDES))


def column_letters(index: int) -> str:
    """Return the letters of a zero-based column: 0 is A, 26 is AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, _LETTERS)
        letters = chr(ord("A") + rest) + letters
    return letters


def column_index(letters: str) -> int:
    """Return the zero-based column of these letters."""
    index = 0
    for letter in letters.upper():
        index = index * _LETTERS + ord(letter) - ord("A") + 1
    return index - 1


def split_title(text: str) -> tuple[str | None, str | None]:
    """Split `'My sheet'!A1` into title and range; a part that is absent is None."""
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted[1].replace("''", "'"), quoted[2]
    title, mark, rest = text.rpartition("!")
    return (title, rest) if mark else (None, text)


def parse_bounds(text: str) -> Bounds | None:
    """Return what `A1`, `A1:B2`, `A:B`, `1:2`, `A1:B`, `A1:1` or `R1C1:R2C2` asks for, or None."""
    numbered = _NUMBERED.fullmatch(text)
    if numbered:
        row, column, last_row, last_column = (int(n) - 1 if n else None for n in numbered.groups())
        rows = _ordered(row, row if last_row is None else last_row)
        return Bounds(*rows, *_ordered(column, column if last_column is None else last_column))
    first, colon, second = text.partition(":")
    start = _part(first)
    end = _part(second) if colon else start
    if start is None or end is None or (not colon and None in start):
        return None
    columns, rows = _ordered(start[0], end[0]), _ordered(start[1], end[1])
    return Bounds(*rows, *columns)


def _part(text: str) -> tuple[int | None, int | None] | None:
    match = _PART.fullmatch(text)
    if not match or not text:
        return None
    column = column_index(match[1]) if match[1] else None
    return column, int(match[2]) - 1 if match[2] else None


def _ordered(start: int | None, end: int | None) -> tuple[int | None, int | None]:
    if start is not None and end is not None:
        return min(start, end), max(start, end) + 1
    if start is None and end is not None:
        return end, None
    return start, None


def quote_title(title: str) -> str:
    """Write a title as Google does: unquoted if it is a word, or words with dots, and no cell."""
    if _PLAIN_TITLE.fullmatch(title) and not _LIKE_A_CELL.fullmatch(title):
        return title
    return "'" + title.replace("'", "''") + "'"


def cell_name(row: int, column: int) -> str:
    """Return the name of a cell: (0, 0) is A1."""
    return f"{column_letters(column)}{row + 1}"


def range_name(title: str, rect: Rect) -> str:
    """Return a range as Google's answers spell it: `Sheet1!A1:B2`, or `Sheet1!A1` for one cell."""
    first = cell_name(rect.start_row, rect.start_column)
    last = cell_name(rect.end_row - 1, rect.end_column - 1)
    cells = first if first == last else f"{first}:{last}"
    return f"{quote_title(title)}!{cells}"
