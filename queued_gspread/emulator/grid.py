"""The cells of a sheet: rows that are only as long as they are filled, in a grid of fixed size."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .a1 import Rect
from .cell import EMPTY, Cell

if TYPE_CHECKING:
    from collections.abc import Iterator

Row = list["Cell | None"]


class Grid:
    """Rows of immutable cells, so that a copy shares them."""

    def __init__(self, row_count: int, column_count: int) -> None:
        """Make an empty grid of this size."""
        self.row_count = row_count
        self.column_count = column_count
        self._rows: list[Row] = []

    def copy(self) -> Grid:
        """Return a grid that can be changed without changing this one."""
        other = Grid(self.row_count, self.column_count)
        other._rows = [row[:] for row in self._rows]
        return other

    @property
    def everything(self) -> Rect:
        """All cells of the grid."""
        return Rect(0, self.row_count, 0, self.column_count)

    def get(self, row: int, column: int) -> Cell:
        """Return a cell, the empty one where nothing is stored."""
        if row < len(self._rows) and column < len(self._rows[row]):
            return self._rows[row][column] or EMPTY
        return EMPTY

    def put(self, row: int, column: int, cell: Cell | None) -> None:
        """Store a cell; None empties it."""
        if cell is None and (row >= len(self._rows) or column >= len(self._rows[row])):
            return
        while len(self._rows) <= row:
            self._rows.append([])
        cells = self._rows[row]
        cells.extend([None] * (column + 1 - len(cells)))
        cells[column] = cell

    def filled(self, row: int, column: int) -> bool:
        """Whether something was entered in this cell."""
        return self.get(row, column).is_filled

    def row(self, row: int, start: int, end: int) -> Row:
        """Return the stored cells of one row between two columns, without trailing gaps."""
        cells = self._rows[row][start:end] if row < len(self._rows) else []
        while cells and cells[-1] is None:
            cells.pop()
        return cells

    def stored(self, rect: Rect) -> Iterator[tuple[int, int, Cell]]:
        """Yield the stored cells in a rectangle, row by row."""
        for row in range(rect.start_row, min(rect.end_row, len(self._rows))):
            for offset, cell in enumerate(self._rows[row][rect.start_column : rect.end_column]):
                if cell is not None:
                    yield row, rect.start_column + offset, cell

    def grow(self, rows: int, columns: int) -> None:
        """Make the grid at least this large."""
        self.row_count = max(self.row_count, rows)
        self.column_count = max(self.column_count, columns)

    def resize(self, rows: int, columns: int) -> None:
        """Give the grid this size; what lies beyond is lost."""
        self.row_count, self.column_count = rows, columns
        self._rows = [row[:columns] for row in self._rows[:rows]]

    def insert_rows(self, start: int, count: int) -> None:
        """Push the rows from start on down."""
        self.row_count += count
        if start < len(self._rows):
            self._rows[start:start] = [[] for _ in range(count)]

    def insert_columns(self, start: int, count: int) -> None:
        """Push the columns from start on to the right."""
        self.column_count += count
        for row in self._rows:
            if start < len(row):
                row[start:start] = [None] * count

    def delete_rows(self, start: int, end: int) -> None:
        """Remove rows; what is below moves up."""
        self.row_count -= end - start
        del self._rows[start:end]

    def delete_columns(self, start: int, end: int) -> None:
        """Remove columns; what is right of them moves left."""
        self.column_count -= end - start
        for row in self._rows:
            del row[start:end]
