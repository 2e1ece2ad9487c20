"""A call that goes into the queue, and its result as the caller sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker import spreadsheet_lane
from queued_gspread.protocol.kinds import WORKSHEET

from .upserted import Upserted

if TYPE_CHECKING:
    from queued_gspread.protocol.messages import Job

    from .caller import Caller
    from .factory import Objects

__all__ = ["Outgoing", "table_of"]

# Tables whose key columns a client remembers.
_MOST_KNOWN: Final = 1_000


@dataclass
class Outgoing:
    """A call that goes into the queue."""

    caller: Caller
    job: Job
    lane: str
    objects: Objects

    def shown(self, result: Any) -> Any:
        """Return a result as the caller sees it; remember where an upsert has found its keys."""
        if result is None or self.job.method not in WORKSHEET.own:
            return result
        known = self.caller.key_columns
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[table_of(self.lane, self.job)] = result["columns"]
        ambiguous = [tuple(each) if type(each) is list else each for each in result["ambiguous"]]
        return Upserted(result["updated"], result["appended"], result["kept"], ambiguous)


def table_of(lane: str, job: Job) -> tuple[Any, ...]:
    """Return the table that an upsert is for."""
    sheet = job.target["properties"].get("sheetId") if job.target else None
    return spreadsheet_lane(lane), sheet, job.kwargs["head"], *job.kwargs["key"]
