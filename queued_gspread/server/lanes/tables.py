"""What is known about the tables that appends add to."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from queued_gspread.server import merging
    from queued_gspread.server.merging import Table

__all__ = ["Tables"]

_MOST_TABLES: Final = 10_000


class Tables:
    """The table after each lane's latest append, unless something else was written since."""

    def __init__(self) -> None:
        self._tables: OrderedDict[str, tuple[object, Table]] = OrderedDict()

    def get(self, lane: str, part: merging.Mergeable | None) -> Table | None:
        """Return the table for an append; None if it differs from the latest append."""
        known = self._tables.get(lane)
        is_meant = known is not None and part is not None and known[0] == part.merge_key
        return known[1] if known is not None and is_meant else None

    def knows(self, lane: str) -> bool:
        """Return whether anything is known about a lane."""
        return lane in self._tables

    def note(self, lane: str, part: merging.Mergeable | None, table: Table | None) -> None:
        """Note the table after a write; None if it is not known."""
        self._tables.pop(lane, None)
        if table is not None and part is not None:
            self._tables[lane] = (part.merge_key, table)
        if len(self._tables) > _MOST_TABLES:
            self._tables.popitem(last=False)
