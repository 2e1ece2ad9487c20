"""A call that goes into the queue, and its result as the caller sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from queued_gspread import _tracing
from queued_gspread.broker import sandbox, spreadsheet_lane
from queued_gspread.protocol.codec import Unencodable
from queued_gspread.protocol.kinds import WORKSHEET
from queued_gspread.protocol.messages import UNATTENDED_TIMEOUT, Job

from .upserted import Upserted

if TYPE_CHECKING:
    from .caller import Caller
    from .factory import Objects

__all__ = ["Outgoing", "table_of"]

# Tables whose key columns a client remembers.
_MOST_KNOWN: Final = 1_000


@dataclass(eq=False)
class Outgoing:
    """A call that goes into the queue.

    Attributes:
        caller: Its client's way there.
        job: The call.
        lane: Its lane.
        objects: Makes the objects of its reply.
        job_id: The job's id.
        span: The span from the call to its end, once it is encoded; None if there is none.

    """

    caller: Caller
    job: Job
    lane: str
    objects: Objects
    job_id: str
    span: _tracing.Span | None = None

    def encoded(self, *, is_left: bool = False) -> bytes:
        """Return the job as it goes into the queue; the call's span begins here.

        Args:
            is_left: Whether nobody waits for the call, whose caller's timeout is not its own then.

        Raises:
            Unencodable: An argument cannot travel.

        """
        if is_left:
            self.job = replace(self.job, is_unattended=True, timeout=UNATTENDED_TIMEOUT)
        if _tracing.tracer() is not None:
            self._begin_span()
        try:
            return self.job.encode()
        except Unencodable:
            if self.span is not None:
                self.span.drop()  # its requests are calls of their own
            raise

    def _begin_span(self) -> None:
        namespace = sandbox.settings_for_call(self.caller.settings).namespace
        lane = spreadsheet_lane(self.lane)
        name, about = _tracing.messaging("send", namespace, lane, self.job.name, self.job_id)
        self.span = _tracing.begin("PRODUCER", name, about)
        if self.span is not None:
            self.job.traceparent = self.span.traceparent

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
