"""The log line of every call. It never contains a cell's value.

``docs/logging.md`` has every line and every field.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.server.log import LOGGER

from .error_fields import fields_of
from .outcome import Outcome
from .titles import quoted, title_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from queued_gspread.broker import Entry
    from queued_gspread.protocol.messages import Job
    from queued_gspread.server.figures import Figures
    from queued_gspread.server.tally import Tally

    from .call import Call

__all__ = ["log_call", "log_left", "record_call"]

_CALL: Final = (
    "%(waiting)d waiting  %(caller)s  %(target)s  %(method)s  %(duration_ms).1f ms, "
    "%(waited_ms).1f waited  requests: "
)
_FAILURE: Final = (
    "nobody waits for a call that failed: %s of %s in %s: %s. It is kept in Redis (failed_calls)"
)
# How a text log labels further fields.
_LABELS: Final = {
    "http_status": "HTTP ",
    "error_status": "",
    "error_reason": "",
    "error_message": "",
    "spreadsheet": "spreadsheet ",
}


class _CallLine:
    """The text of a call's line, formatted only if a handler asks for it."""

    def __init__(self, about: dict[str, Any], tally: Tally | None) -> None:
        self._about = about
        self._tally = tally

    def __str__(self) -> str:
        about = self._about
        line = f"{_CALL % about}{self._tally or 0}  {about['outcome']}"
        if about["outcome"] == "ok":
            return line
        named = [f"{label}{about[name]}" for name, label in _LABELS.items() if name in about]
        return "  ".join([line, *named])


def record_call(entry: Entry, outcome: Outcome, figures: Figures) -> None:
    """Count a call that has ended, and log it."""
    job = outcome.job
    caller = None if job is None else job.caller
    began = entry.seen - entry.age
    figures.note_call((outcome.tally, outcome.sort, caller, began, time.monotonic()))
    log_call(entry, outcome)
    if outcome.failure and job is not None and job.is_unattended:
        _log_failure(entry, outcome)


def log_call(entry: Entry, outcome: Outcome) -> None:
    """Log one call: who called what, how many wait behind it, how long it took, how it ended.

    The time counts from the enqueue, on Redis's clock, whichever server the call has waited for.
    """
    if not LOGGER.isEnabledFor(logging.INFO):
        return
    now, tally = time.monotonic(), outcome.tally
    began = entry.seen - entry.age
    waited = now - began if tally is None else tally.waited(began, now)
    about = {
        "waiting": entry.waiting - 1,
        **_of_job(outcome.job),
        "duration_ms": round((now - began) * 1000, 1),
        "waited_ms": round(waited * 1000, 1),
        "requests": 0 if tally is None else tally.requests,
        "sent": [] if tally is None else tally.as_fields(),
        "outcome": outcome.word,
    }
    if tally is not None and tally.recalled:
        about["recalled"] = tally.recalled
    if outcome.word != "ok":
        about |= fields_of(outcome.error) | {"spreadsheet": quoted(entry.spreadsheet)[1:-1]}
    # The record is made here, since looking up the line of code that logs takes a tenth of a short
    # call's time.
    line = _CallLine(about, tally)
    record = LOGGER.makeRecord(
        LOGGER.name, logging.INFO, __file__, 0, line, (), None, extra={"call": about}
    )
    LOGGER.handle(record)


def log_left(
    calls: Sequence[Call],
    ended: Sequence[tuple[Entry, Outcome]],
    entries: Mapping[tuple[str, str], Entry],
) -> None:
    """Log the calls that stay in the queue although requests were sent for them.

    Args:
        calls: Those that wait for an answer.
        ended: Those that have ended and were not answered.
        entries: The jobs of those that were not logged yet, by key.

    """
    left = [(call.entry, Outcome("left", job=call.job, tally=call.tally)) for call in calls]
    left += [(entry, replace(told, word="left", error=None)) for entry, told in ended]
    for entry, outcome in left:
        if outcome.has_sent and entry.key in entries:
            log_call(entries[entry.key], outcome)


def _log_failure(entry: Entry, outcome: Outcome) -> None:
    """Warn of a call that has failed and that nobody waits for; Redis keeps the same of it."""
    job = _of_job(outcome.job)
    LOGGER.warning(
        _FAILURE,
        job["method"],
        job["caller"],
        quoted(entry.spreadsheet),
        outcome.word,
        extra={"fields": {"event": "failed", "job": entry.job_id}},
    )


def _of_job(job: Job | None) -> dict[str, str]:
    if job is None:
        return {"caller": "?", "target": "?", "method": "?"}
    host, process = job.caller
    return {
        "caller": quoted(f"{host}:{process}")[1:-1],
        "target": title_of(job),
        "method": quoted(f"{job.kind}.{job.method}")[1:-1],
    }
