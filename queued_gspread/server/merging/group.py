"""Parts that are sent as one request, and whether one more fits.

A group keeps a summary of its parts that a further part is compared with, so that hundreds of parts
are not compared with each other.
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
    """What still fits into a merged request, by the rules of its kind."""

    def add(self, part: Mergeable, /) -> bool: ...


_CAPACITIES: Final[dict[MergeKind, Callable[[Mergeable], _Capacity]]] = {
    MergeKind.GET: gets.Capacity,
    MergeKind.UPDATE: updates.Capacity,
    MergeKind.BATCH: batches.Capacity,
}


class Group:
    """Parts that are sent as one request.

    Args:
        first: The first of them.
        table: For appends: the table that the previous append left.

    """

    def __init__(self, first: Mergeable, table: Table | None = None) -> None:
        self._first = first
        self._cells = first.cells
        # None if every part with the same merge key fits.
        self._capacity = _capacity(first, table)

    def add(self, part: Mergeable) -> bool:
        """Add a part if it fits; return whether it does."""
        if not (self._is_same_read(part) or self._has_room_for(part)):
            return False
        self._cells += part.cells
        return True

    def _is_same_read(self, part: Mergeable) -> bool:
        return part.kind in READS and same_on_the_wire(self._first.request, part.request)

    def _has_room_for(self, part: Mergeable) -> bool:
        if part.kind is MergeKind.IDENTICAL or self._first.merge_key != part.merge_key:
            return False
        if self._cells + part.cells > _MOST_CELLS:
            return False
        return self._capacity is None or self._capacity.add(part)


def _capacity(first: Mergeable, table: Table | None) -> _Capacity | None:
    if first.kind is MergeKind.APPEND:
        return appends.Capacity(first, table)
    capacity = _CAPACITIES.get(first.kind)
    return None if capacity is None else capacity(first)
