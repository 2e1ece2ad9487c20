"""Changes that keep the size of a grid: rows or columns move, or cells are shifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread.emulator.book.a1 import Rect

from .shift import Shift

if TYPE_CHECKING:
    from queued_gspread.emulator.book.grid import Grid


@dataclass(frozen=True)
class Move:
    """Moves the rows or columns from start to end before a destination, an index before the move.

    If a range contains more than them, its ends stay with their own rows or columns.
    """

    dimension: str
    start: int
    end: int
    destination: int

    def index(self, index: int) -> int:
        """Return where a row or column lies afterwards."""
        count = self.end - self.start
        if self.start <= index < self.end:
            backward = self.destination <= self.start
            return index - self.start + (self.destination if backward else self.destination - count)
        if self.end <= index < self.destination:
            return index - count
        if self.destination <= index < self.start:
            return index + count
        return index

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span lies afterwards, by its first and its last index."""
        first, last = self.index(start), self.index(end - 1)
        return min(first, last), max(first, last) + 1

    def rect(self, rect: Rect) -> Rect:
        """Return where a rectangle lies afterwards."""
        if self.dimension == "ROWS":
            return Rect(*self.span(rect.start_row, rect.end_row), *rect[2:])
        return Rect(*rect[:2], *self.span(rect.start_column, rect.end_column))

    def apply(self, grid: Grid) -> None:
        """Move the cells of a grid."""
        low, high = min(self.start, self.destination), max(self.end, self.destination)
        whole = grid.everything
        by_rows = Rect(low, high, *whole[2:])
        grid.carry(by_rows if self.dimension == "ROWS" else Rect(*whole[:2], low, high), self.rect)


@dataclass(frozen=True)
class Push:
    """Shifts cells between two columns down (or between two rows, to the right), or back.

    From `start` on they move by `count`; a negative count removes so many cells there. `across`
    are the two columns (or rows). A range that is only partly between them stays where it is.
    """

    dimension: str
    start: int
    count: int
    across: tuple[int, int]

    def index(self, index: int) -> int:
        """Return where a whole row or column lies afterwards: where it was."""
        return index

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where a span of whole rows or columns lies afterwards: where it was."""
        return start, end

    def rect(self, rect: Rect) -> Rect | None:
        """Return where a rectangle lies afterwards, None if it is gone."""
        low, high = rect[2:] if self.dimension == "ROWS" else rect[:2]
        if low < self.across[0] or high > self.across[1]:
            return rect
        return Shift(self.dimension, self.start, self.count).rect(rect)

    def zone(self, grid: Grid) -> Rect:
        """Return the cells of a grid that move or go."""
        if self.dimension == "ROWS":
            return Rect(self.start, grid.row_count, *self.across)
        return Rect(*self.across, self.start, grid.column_count)

    def apply(self, grid: Grid) -> None:
        """Move the cells of a grid, which grows where cells would fall over its edge."""
        grid.carry(self.zone(grid), self.rect)
