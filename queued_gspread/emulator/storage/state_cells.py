"""The rows of a grid as JSON.

A row is the list of its values; null is a cell without a value, or no cell. If its cells have more
than values, it is `{"values": […], "more": [[column, count, parts], …]}`: `count` cells from
`column` on have these parts. A part that is a string is stored as it is; a number is an index into
the parts that all cells share, since thousands of cells have the same few formats.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.book.cell import Cell
from queued_gspread.emulator.book.grid import Grid
from queued_gspread.emulator.book.spreadsheet import MAX_CELLS

from .state_messages import message_of
from .state_part import DamagedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from queued_gspread.emulator.book.cell import Scalar
    from queued_gspread.emulator.book.grid import PackedRow

    from .state_part import Part

Json = dict[str, Any]
_PARTS = tuple(name for name in Cell._fields if name != "value")
_KINDS: dict[str, type] = {"format": dict, "validation": dict, "runs": list}
_KINDS |= {"formula": str, "note": str}
_parts_of = attrgetter(*_PARTS)
# More than are in use if formats are shared; a million would take long to free.
_MOST = 10_000


class Shared:
    """The formats and rules that cells share, each of them once."""

    def __init__(self) -> None:
        """Begin with none."""
        self.parts: list[Any] = []
        self._places: dict[str, int] = {}
        self._lately: dict[int, int] = {}

    def place(self, part: Any) -> int:
        """Return the index of a part, which must live as long as this object."""
        found = self._lately.get(id(part))
        if found is None:
            # Unlike equality, the text distinguishes 1, 1.0 and True, and keeps the order of names.
            found = self._places.setdefault(repr(part), len(self.parts))
            if found == len(self.parts):
                self.parts.append(part)
            if len(self._lately) >= _MOST:
                self._lately.clear()
            self._lately[id(part)] = found
        return found


def grid_json(grid: Grid, shared: Shared) -> Json:
    """Return a grid as JSON."""
    return {
        "row_count": grid.row_count,
        "column_count": grid.column_count,
        "rows": [_row_json(row, shared) for row in grid.rows],
    }


def grid_from(part: Part, shared: list[Any]) -> Grid:
    """Return the grid in JSON; raise DamagedError if it cannot be read."""
    grid = Grid(part["row_count"].expect(int), part["column_count"].expect(int))
    if not 0 < grid.row_count * grid.column_count <= MAX_CELLS or grid.row_count < 1:
        raise DamagedError(f"{part.place} has no rows, no columns, or more than {MAX_CELLS} cells")
    grid.rows = [row.read(lambda found: _row(found, shared)) for row in part["rows"]]
    if len(grid.rows) > grid.row_count or max(map(len, grid.rows), default=0) > grid.column_count:
        raise DamagedError(f"{part.place} has more cells than its row_count and column_count say")
    return grid


def _row_json(row: PackedRow, shared: Shared) -> Any:
    values = [kept.value if isinstance(kept, Cell) else kept for kept in row]
    more = list(_runs(row, shared))
    return {"values": values, "more": more} if more else values


def _runs(row: PackedRow, shared: Shared) -> Iterator[list[Any]]:
    """Yield column, count and parts of neighbouring cells that have the same ones."""
    start, before = 0, None
    for column, kept in enumerate(row):
        parts = _places(kept, shared)
        if parts != before:
            if before is not None:
                yield [start, column - start, _named(before)]
            start, before = column, parts
    if before is not None:
        yield [start, len(row) - start, _named(before)]


def _places(kept: Cell | Scalar, shared: Shared) -> tuple[Any, ...] | None:
    """Return what a cell has besides its value; None for nothing."""
    if not isinstance(kept, Cell):
        return None
    return tuple(
        part if part is None or isinstance(part, str) else shared.place(part)
        for part in _parts_of(kept)
    )


def _named(places: tuple[Any, ...]) -> Json:
    named = zip(_PARTS, places, strict=True)
    return {name: place for name, place in named if place is not None}


def _row(found: Any, shared: list[Any]) -> PackedRow:
    values, more = (found["values"], found["more"]) if isinstance(found, dict) else (found, [])
    if not isinstance(values, list) or any(isinstance(value, (list, dict)) for value in values):
        raise TypeError("a row is a list of values")
    row: PackedRow = values[:]
    for start, count, places in more:
        parts: Json = {name: _part(name, place, shared) for name, place in places.items()}
        row[start : start + count] = [
            Cell(value, **parts) for value in values[start : start + count]
        ]
    return row


def _part(name: str, place: Any, shared: list[Any]) -> Any:
    found = place if isinstance(place, str) else shared[place]
    if not isinstance(found, _KINDS[name]):
        raise TypeError(f"{name} is no {_KINDS[name].__name__}")
    return found


def shared_from(part: Part) -> list[Any]:
    """Return the parts that cells share: messages and lists of them."""
    for item in part:
        if isinstance(item.content, list):
            for run in item:
                message_of("TextFormatRun", run)
        else:
            is_rule = "condition" in item.expect(dict)
            message_of("DataValidationRule" if is_rule else "CellFormat", item)
    return part.expect(list)
