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
    last = grid.last_filled(searched)
    if last is None:
        return None
    row, column = last
    return _grown(grid, Rect(row, row + 1, column, column + 1))


def _grown(grid: Grid, rect: Rect) -> Rect:
    """Grow until nothing touches a side. The order does not matter, so cheap sides go first."""
    while True:
        top, bottom, left, right = rect
        top -= grid.filled_rows(top - 1, -1, (left, right))
        bottom += grid.filled_rows(bottom, 1, (left, right))
        if left and grid.any_filled(Rect(top, bottom, left - 1, left)):
            left -= 1
        if grid.any_filled(Rect(top, bottom, right, right + 1)):
            right += 1
        if rect == (top, bottom, left, right):
            return rect
        rect = Rect(top, bottom, left, right)
