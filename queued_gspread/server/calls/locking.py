"""A job that asks for a spreadsheet's lock: what it says, and what its caller is told."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread.errors import CodecError, QueuedGspreadError
from queued_gspread.protocol.messages import LOCK, Job, NoObjects, Reply
from queued_gspread.server.tally import Tally

from .accounts import mismatch
from .outcome import Outcome, failed, late
from .titles import quoted

if TYPE_CHECKING:
    from queued_gspread.broker import Entry
    from queued_gspread.protocol.identity import Identity

__all__ = ["Grant", "grant_of"]

_LONGEST_HOLD: Final = 86_400.0


@dataclass(frozen=True)
class Grant:
    """What a job that asks for a lock gets.

    Attributes:
        outcome: The outcome of the job, which stays in its lane.
        hold: Seconds without a call of the holder's after which the lock lapses.
        who: The holder, in words.

    """

    outcome: Outcome
    hold: float
    who: str


def grant_of(entry: Entry, account: Identity) -> Grant | Outcome:
    """Return what a job gets that asks for a lock; its outcome if it is refused."""
    try:
        job = Job.decode(entry.body, NoObjects())
        hold = _hold_of(job)
    except QueuedGspreadError as error:
        return failed(error, None)
    if job.identity.conflicts_with(account):
        return failed(mismatch(job.identity, account), job)
    deadline = entry.deadline(job.timeout)
    if deadline is not None and time.monotonic() > deadline:
        return late(job, Tally())
    host, process = job.caller
    who = quoted(f"{host}, process {process}")[1:-1]
    return Grant(Outcome("ok", Reply().encode(), job), hold, who)


def _hold_of(job: Job) -> float:
    hold = job.kwargs.get("hold")
    is_number = isinstance(hold, (int, float)) and not isinstance(hold, bool)
    seconds = float(hold) if is_number and hold is not None else 0.0
    if job.kind != LOCK or not 0 < seconds <= _LONGEST_HOLD:
        raise CodecError(f"a job asks for a lock as {job.name} with hold={hold!r:.40}")
    return seconds
