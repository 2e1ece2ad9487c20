"""What is known about the tables that appends add to."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Final

from queued_gspread.server import merging
from queued_gspread.server.policy.request import Response, is_read

if TYPE_CHECKING:
    from queued_gspread.server.calls.call import Call
    from queued_gspread.server.merging import Table
    from queued_gspread.server.policy.request import Exchange

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

    def note_answer(self, lane: str, call: Call, exchange: Exchange) -> None:
        """Note the table after the answer to a request, if that wrote anything.

        Args:
            lane: The lane.
            call: The call that the request was for.
            exchange: The request and its answer.

        """
        if is_read(exchange.request):
            return
        called = exchange.request.called
        is_append = called is not None and called.merge is merging.MergeKind.APPEND
        part, outcome, table = call.part if is_append else None, exchange.outcome, None
        if part is not None and isinstance(outcome, Response):
            table = merging.table_after([part], outcome.value, self.get(lane, part))
        self.note(lane, part, table)
