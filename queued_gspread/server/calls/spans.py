"""The spans of calls at the server: each from its beginning here to its end.

A call that a server leaves to the next one has a span at each. Both are children of the caller's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from queued_gspread import _tracing
from queued_gspread._tracing import harmless
from queued_gspread.protocol.messages import LOCK

from .outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from queued_gspread._tracing import Span
    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job

    from .call import Call

__all__ = ["begin", "end", "leave", "note", "note_ended"]

_OUTCOME: Final = "queued_gspread.outcome"


def note(namespace: str, entry: Entry, begun: Call | Outcome, call: Call | None) -> None:
    """Begin the span of a call; or end it, or have one for a call that ended without a request."""
    if not isinstance(begun, Outcome):
        begun.span = begin(namespace, entry, begun.job)
    elif call is None:
        note_ended(namespace, entry, begun)
    elif call.span is not None:
        end(call.span, begun)


@harmless
def begin(namespace: str, entry: Entry, job: Job) -> Span | None:
    """Begin the span of a job's call, as a child of its caller's."""
    about = namespace, entry.spreadsheet, job.name, entry.job_id
    name, attributes = _tracing.messaging("process", *about)
    return _tracing.begin("CONSUMER", name, attributes, parent=job.traceparent or "")


@harmless
def end(span: Span, outcome: Outcome) -> None:
    """End the span of a call with what came of that."""
    span.set(_OUTCOME, outcome.word)
    span.ended_with(outcome.error)


def leave(calls: Iterable[Call]) -> None:
    """Close calls that are left in the queue, and end their spans."""
    for call in calls:
        call.close()
        if call.span is not None:
            end(call.span, Outcome("left"))


@harmless
def note_ended(namespace: str, entry: Entry, outcome: Outcome) -> None:
    """Have a span for a call that ended before it sent anything; none for a lock's."""
    job = outcome.job
    span = None if job is None or job.kind == LOCK else begin(namespace, entry, job)
    if span is not None:
        end(span, outcome)
