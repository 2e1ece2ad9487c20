"""Parts that leave as one request, and whether one more fits.

What is kept of those that are in it is as much as one more has to be compared with, so that
hundreds are not compared with each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from . import appends, batches, gets, updates
from .part import READS, MergeKind, same_on_the_wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from .appends import Table
    from .part import Mergeable

__all__ = ["Group"]

# Google recommends payloads of 2 MB at most, and refuses more than 10 MiB:
# https://developers.google.com/workspace/sheets/api/limits
_MOST_CELLS: Final = 100_000


class _Capacity(Protocol):
    """What still fits to parts that leave together, in the way of their kind."""

    def add(self, part: Mergeable, /) -> bool: ...


_ROOMS: Final[dict[MergeKind, Callable[[Mergeable], _Capacity]]] = {
    MergeKind.GET: gets.Capacity,
    MergeKind.UPDATE: updates.Capacity,
    MergeKind.BATCH: batches.Capacity,
}


class Group:
    """Parts that leave together.

    Args:
        first: The first of them.
        table: For appends: what the append before has left.

    """

    def __init__(self, first: Mergeable, table: Table | None = None) -> None:
        self._first = first
        self._cells = first.cells
        # None where whatever is like the first one fits.
        self._room = _room(first, table)

    def add(self, part: Mergeable) -> bool:
        """Add a part, if it fits; tell whether it does."""
        if not (self._is_asked_for(part) or self._has_room_for(part)):
            return False
        self._cells += part.cells
        return True

    def _is_asked_for(self, part: Mergeable) -> bool:
        return part.kind in READS and same_on_the_wire(self._first.request, part.request)

    def _has_room_for(self, part: Mergeable) -> bool:
        if part.kind is MergeKind.IDENTICAL or self._first.merge_key != part.merge_key:
            return False
        if self._cells + part.cells > _MOST_CELLS:
            return False
        return self._room is None or self._room.add(part)


def _room(first: Mergeable, table: Table | None) -> _Capacity | None:
    if first.kind is MergeKind.APPEND:
        return appends.Capacity(first, table)
    kind = _ROOMS.get(first.kind)
    return None if kind is None else kind(first)
