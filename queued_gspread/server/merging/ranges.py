"""Parse ranges in A1 notation, as far as it is certain which cells they name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gspread.utils import column_letter_to_index, rowcol_to_a1

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Covered", "Extent", "extent_of", "is_whole_sheet", "named_cells", "split_range"]


class Extent(NamedTuple):
    """Cells of one sheet by zero-based indices, ends exclusive."""

    sheet: str
    top: int
    bottom: int
    left: int
    right: int

    def overlaps(self, other: Extent) -> bool:
        """Return whether the two share a cell."""
        return (
            self.sheet == other.sheet
            and self.top < other.bottom
            and other.top < self.bottom
            and self.left < other.right
            and other.left < self.right
        )

    @property
    def height(self) -> int:
        """How many rows it has."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """How many columns it has."""
        return self.right - self.left


class Covered:
    """A set of covered cells. Small extents are stored by cell, so they need no comparing."""

    def __init__(self) -> None:
        self._extents: list[Extent] = []
        self._large: list[Extent] = []
        self._cells: set[tuple[str, int, int]] = set()

    def add(self, extents: Iterable[Extent]) -> None:
        """Add the cells of extents, which may overlap."""
        for extent in extents:
            self._extents.append(extent)
            if _is_small(extent):
                self._cells.update(_cells_of(extent))
            else:
                self._large.append(extent)

    def overlaps(self, extent: Extent) -> bool:
        """Return whether any cell of an extent is covered."""
        if not _is_small(extent):
            return any(map(extent.overlaps, self._extents))
        if not self._cells.isdisjoint(_cells_of(extent)):
            return True
        return any(map(extent.overlaps, self._large))


_SMALL: Final = 64


def _is_small(extent: Extent) -> bool:
    return extent.height * extent.width <= _SMALL


def _cells_of(extent: Extent) -> Iterator[tuple[str, int, int]]:
    rows, columns = range(extent.top, extent.bottom), range(extent.left, extent.right)
    return ((extent.sheet, row, column) for row in rows for column in columns)


_CELL: Final = r"([A-Za-z]{1,3})([1-9][0-9]{0,7})"
_CELLS: Final = re.compile(rf"{_CELL}(?::{_CELL})?")
_QUOTED: Final = re.compile(r"'((?:[^']|'')+)'")
_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def extent_of(text: str, height: int = 0, width: int = 0) -> Extent | None:
    """Return the cells of a range and of values that are written from its first cell on.

    Returns None if it is not certain which cells they are: for a named range, an open one, or one
    that does not name its sheet.

    Args:
        text: The range.
        height: How many rows are written.
        width: How many columns are written.

    """
    title, cells = split_range(text)
    sheet = _title(title)
    edges = None if sheet is None else _parse(cells)
    if sheet is None or edges is None:
        return None
    top, bottom, left, right = edges
    # To Google, titles that differ only in case are equal.
    return Extent(sheet.casefold(), top, max(bottom, top + height), left, max(right, left + width))


def named_cells(text: str) -> Extent | None:
    """Return the cells that Google's answer names, with the title as Google writes it."""
    title, cells = split_range(text)
    edges = _parse(cells)
    return None if edges is None or not title else Extent(title, *edges)


def is_whole_sheet(text: str) -> bool:
    """Return whether a range is just a sheet's title; unquoted, it might be a named range."""
    return _QUOTED.fullmatch(text) is not None


def write_range(extent: Extent) -> str:
    """Return a range as Google's answers spell it: ``Sheet1!A1:B2``, or ``Sheet1!A1``."""
    first = rowcol_to_a1(extent.top + 1, extent.left + 1)
    last = rowcol_to_a1(extent.bottom, extent.right)
    return f"{extent.sheet}!{first}" if first == last else f"{extent.sheet}!{first}:{last}"


def split_range(text: str) -> tuple[str, str]:
    """Return title and cells as they are written; the title is '' if there is none."""
    title, _, cells = text.rpartition("!")
    return title, cells


def _title(text: str) -> str | None:
    quoted = _QUOTED.fullmatch(text)
    if quoted:
        return quoted[1].replace("''", "'")
    return text if _PLAIN.fullmatch(text) else None


def _parse(cells: str) -> tuple[int, int, int, int] | None:
    match = _CELLS.fullmatch(cells)
    if match is None:
        return None
    column, row, last_column, last_row = match.groups()
    rows = sorted((int(row), int(last_row or row)))
    columns = sorted(map(column_letter_to_index, (column, last_column or column)))
    return rows[0] - 1, rows[1], columns[0] - 1, columns[1]
