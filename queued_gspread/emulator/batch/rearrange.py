"""Requests that move rows, columns or cells, and everything that refers to them.

By the reference of MoveDimensionRequest, InsertRangeRequest and DeleteRangeRequest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.emulator.wire.errors import InvalidArgumentError

from .moves import Move, Push
from .scope import dimension_of
from .shift import shift_sheet

if TYPE_CHECKING:
    from queued_gspread.emulator.book.sheet import Sheet

    from .scope import Json, Scope


def move_dimension(scope: Scope, request: Json) -> Json:
    """Move rows or columns to before an index, as it is before they move."""
    sheet, dimension, start, end = scope.dimension_range(request.get("source"))
    destination, size = int(request.get("destinationIndex", 0)), sheet.size(dimension)
    if not 0 <= destination <= size:
        message = f"destinationIndex[{destination}] must be between 0 and the grid size ({size})"
        raise InvalidArgumentError(message)
    if end > size:
        message = f"source.endIndex[{end}] must be at most the grid size ({size})"
        raise InvalidArgumentError(message)
    if start <= destination <= end:
        return {}
    _check_merges(sheet, dimension, (start, end), destination)
    shift_sheet(scope.book, sheet, Move(dimension, start, end, destination))
    return {}


def insert_range(scope: Scope, request: Json) -> Json:
    """Insert empty cells; existing ones move down or to the right."""
    return _push(scope, request, 1)


def delete_range(scope: Scope, request: Json) -> Json:
    """Delete cells; those below move up, or those to the right move left."""
    return _push(scope, request, -1)


def _push(scope: Scope, request: Json, sign: int) -> Json:
    sheet, rect = scope.grid_range(request.get("range"))
    if dimension_of(request, "shiftDimension") == "ROWS":
        push = Push("ROWS", rect.start_row, sign * rect.height, rect[2:])
    else:
        push = Push("COLUMNS", rect.start_column, sign * rect.width, rect[:2])
    zone = push.zone(sheet.grid)
    for merge in sheet.merges:
        if merge.overlaps(zone) and not zone.holds(merge):
            raise InvalidArgumentError(
                "Cells that a merge holds only in part cannot be shifted. Please unmerge first."
            )
    shift_sheet(scope.book, sheet, push)
    scope.book.check_size(sheet, sheet.grid.row_count, sheet.grid.column_count)
    return {}


def _check_merges(sheet: Sheet, dimension: str, source: tuple[int, int], destination: int) -> None:
    noun = "row" if dimension == "ROWS" else "column"
    for merge in sheet.merges:
        low, high = merge[:2] if dimension == "ROWS" else merge[2:]
        torn = low < source[1] and source[0] < high and not source[0] <= low < high <= source[1]
        if torn or low < destination < high:
            raise InvalidArgumentError(
                f"Sorry, it is not possible to move a {noun} to a position that crosses a merged "
                "cell. Please unmerge and try again."
            )
