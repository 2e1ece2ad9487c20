"""The cells of a sheet: rows that are only as long as they are filled, in a grid of fixed size."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from .a1 import Rect
from .cell import EMPTY, Cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .cell import Scalar

Row = list["Cell | None"]
PackedRow = list["Cell | Scalar"]
_PLAIN = EMPTY[1:]


class Grid:
    """Rows of immutable cells, so that a copy shares them.

    A cell with nothing but a value is kept as that value: in a large sheet nearly all are such, and
    an object for each would take four times the memory.
    """

    def __init__(self, row_count: int, column_count: int) -> None:
        """Make an empty grid of this size."""
        self.row_count = row_count
        self.column_count = column_count
        self.has_formulas = False
        self._rows: list[PackedRow] = []
        # A bit for every column of a row in which something was entered, so that looking for
        # tables in thousands of rows costs little.
        self._filled: list[int] = []

    @property
    def rows(self) -> list[PackedRow]:
        """The stored rows as they are kept, the first one first; they are for reading."""
        return self._rows

    @rows.setter
    def rows(self, rows: list[PackedRow]) -> None:
        self._rows = rows
        self._filled = [_filled_columns(row) for row in rows]
        self.has_formulas = any(
            isinstance(cell, Cell) and cell.formula is not None for row in rows for cell in row
        )

    def copy(self) -> Grid:
        """Return a grid that can be changed without changing this one."""
        other = Grid(self.row_count, self.column_count)
        other.has_formulas = self.has_formulas
        other._rows = [row[:] for row in self._rows]
        other._filled = self._filled[:]
        return other

    @property
    def everything(self) -> Rect:
        """All cells of the grid."""
        return Rect(0, self.row_count, 0, self.column_count)

    def get(self, row: int, column: int) -> Cell:
        """Return a cell, the empty one where nothing is stored."""
        if row < len(self._rows) and column < len(self._rows[row]):
            return _cell(self._rows[row][column]) or EMPTY
        return EMPTY

    def put(self, row: int, column: int, cell: Cell | None) -> None:
        """Store a cell; None empties it."""
        if cell is None and (row >= len(self._rows) or column >= len(self._rows[row])):
            return
        while len(self._rows) <= row:
            self._rows.append([])
            self._filled.append(0)
        cells = self._rows[row]
        cells.extend([None] * (column + 1 - len(cells)))
        cells[column] = _packed(cell)
        if cell is not None and cell.is_filled:
            self._filled[row] |= 1 << column
            self.has_formulas |= cell.formula is not None
        else:
            self._filled[row] &= ~(1 << column)

    def filled(self, row: int, column: int) -> bool:
        """Whether something was entered in this cell."""
        return self.get(row, column).is_filled

    def any_filled(self, rect: Rect) -> bool:
        """Whether something was entered in any cell of a rectangle."""
        return any(map(_mask(rect).__and__, self._filled[rect.start_row : rect.end_row]))

    def last_filled(self, rect: Rect) -> tuple[int, int] | None:
        """Return the last cell, by rows, of a rectangle in which something was entered."""
        mask = _mask(rect)
        for row in range(min(rect.end_row, len(self._filled)) - 1, rect.start_row - 1, -1):
            found = self._filled[row] & mask
            if found:
                return row, found.bit_length() - 1
        return None

    def filled_rows(self, row: int, step: int, columns: tuple[int, int]) -> int:
        """Return how many rows from one on, up or down, have content in some columns."""
        mask = _mask(Rect(0, 0, *columns))
        rows = self._filled[row::step] if row >= 0 else []
        return sum(1 for _ in takewhile(mask.__and__, rows))

    def row(self, row: int, start: int, end: int) -> Row:
        """Return the stored cells of one row between two columns, without trailing gaps."""
        cells = self._rows[row][start:end] if row < len(self._rows) else []
        while cells and cells[-1] is None:
            cells.pop()
        return [_cell(cell) for cell in cells]

    def stored(self, rect: Rect) -> Iterator[tuple[int, int, Cell]]:
        """Yield the stored cells in a rectangle, row by row."""
        for row in range(rect.start_row, min(rect.end_row, len(self._rows))):
            for offset, kept in enumerate(self._rows[row][rect.start_column : rect.end_column]):
                cell = _cell(kept)
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
        kept = (1 << columns) - 1
        self._filled = [filled & kept for filled in self._filled[:rows]]

    def carry(self, rect: Rect, place: Callable[[Rect], Rect | None]) -> None:
        """Take the cells of a rectangle to where `place` says; the grid grows if need be."""
        cells = list(self.stored(rect))
        for row, column, _ in cells:
            self.put(row, column, None)
        for row, column, cell in cells:
            target = place(Rect(row, row + 1, column, column + 1))
            if target is not None:
                self.grow(target.end_row, target.end_column)
                self.put(target.start_row, target.start_column, cell)

    def insert_rows(self, start: int, count: int) -> None:
        """Push the rows from start on down."""
        self.row_count += count
        if start < len(self._rows):
            self._rows[start:start] = [[] for _ in range(count)]
            self._filled[start:start] = [0] * count

    def insert_columns(self, start: int, count: int) -> None:
        """Push the columns from start on to the right."""
        self.column_count += count
        for row in self._rows:
            if start < len(row):
                row[start:start] = [None] * count
        low = (1 << start) - 1
        self._filled = [(bits & low) | (bits >> start << start + count) for bits in self._filled]

    def delete_rows(self, start: int, end: int) -> None:
        """Remove rows; what is below moves up."""
        self.row_count -= end - start
        del self._rows[start:end]
        del self._filled[start:end]

    def delete_columns(self, start: int, end: int) -> None:
        """Remove columns; what is right of them moves left."""
        self.column_count -= end - start
        for row in self._rows:
            del row[start:end]
        low = (1 << start) - 1
        self._filled = [(bits & low) | (bits >> end << start) for bits in self._filled]


def _packed(cell: Cell | None) -> Cell | Scalar:
    return cell.value if cell is not None and cell[1:] == _PLAIN else cell


def _cell(kept: Cell | Scalar) -> Cell | None:
    return kept if kept is None or isinstance(kept, Cell) else Cell(kept)


def _filled_columns(row: PackedRow) -> int:
    bits = 0
    for column, kept in enumerate(row):
        if kept.is_filled if isinstance(kept, Cell) else kept is not None:
            bits |= 1 << column
    return bits


def _mask(rect: Rect) -> int:
    return (1 << rect.end_column) - (1 << rect.start_column)
