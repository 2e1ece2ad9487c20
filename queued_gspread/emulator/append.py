"""Where appended values go: the table that Google finds in a range.

Google's guide to reading and writing values gives the cases: the last table in the range
counts, a range that touches none is itself the place to write to. A table is what cells with
content span, grown until the cells along its four sides are empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .a1 import Rect

if TYPE_CHECKING:
    from .grid import Grid


def find_table(grid: Grid, searched: Rect) -> Rect | None:
    """Return the table around the last cell with content in the searched range."""
    last = None
    for row, column, cell in grid.stored(searched):
        if cell.is_filled:
            last = row, column
    if last is None:
        return None
    row, column = last
    return _grown(grid, Rect(row, row + 1, column, column + 1))


def _grown(grid: Grid, rect: Rect) -> Rect:
    while True:
        sides = _sides(grid, rect)
        touched = [place for place, side in enumerate(sides) if _any_filled(grid, side)]
        if not touched:
            return rect
        moves = ((-1, 0, 0, 0), (0, 1, 0, 0), (0, 0, -1, 0), (0, 0, 0, 1))
        for place in touched:
            rect = Rect(*(side + move for side, move in zip(rect, moves[place], strict=True)))


def _sides(grid: Grid, rect: Rect) -> tuple[Rect, Rect, Rect, Rect]:
    top, bottom, left, right = rect
    below = min(bottom + 1, grid.row_count)
    beside = min(right + 1, grid.column_count)
    return (
        Rect(max(top - 1, 0), top, left, right),
        Rect(bottom, below, left, right),
        Rect(top, bottom, max(left - 1, 0), left),
        Rect(top, bottom, right, beside),
    )


def _any_filled(grid: Grid, rect: Rect) -> bool:
    return any(cell.is_filled for _, _, cell in grid.stored(rect))
