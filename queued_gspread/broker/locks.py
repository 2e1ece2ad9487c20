"""Locks of spreadsheets: the names of their lanes, and who holds them.

The job that asks for a lock waits in the spreadsheet's lane like any other. Once it has the lock it
stays at the lane's head, so that the others' calls keep their places behind it. The holder's calls
go into a lane of their own, which names the lock by its number: the id of that job.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .connection.client import as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "LOCKED",
    "LockHolder",
    "holder_lane",
    "holder_of",
    "holders_of",
    "is_lock",
    "lock_number",
    "spreadsheet_lane",
]

LOCKED: Final = "l"
"""The mark of a job that has the lock which it asks for."""

_JOB: Final = "L"
_BETWEEN: Final = "!"
_LONGEST_WHO: Final = 100
# As common.lua writes it.
_HOLDER: Final = re.compile(r"(\w+) (\d{1,13}) (\d{1,13}) (\d{1,13}) (held|released|broken) (.*)")


def lock_number() -> str:
    """Return the id of a job that asks for a lock. Servers know such jobs by their ids."""
    return _JOB + os.urandom(16).hex()


def is_lock(job_id: str) -> bool:
    """Return whether a job asks for a lock."""
    return job_id.startswith(_JOB)


def holder_lane(lane: str, number: str) -> str:
    """Return the lane of the calls of a lock's holder."""
    return f"{lane}{_BETWEEN}{number}"


def spreadsheet_lane(lane: str) -> str:
    """Return the lane of the spreadsheet of any lane: of that one, or of a lock's holder."""
    return lane.partition(_BETWEEN)[0]


@dataclass(frozen=True)
class LockHolder:
    """Who holds a spreadsheet's lock, as Redis has it. Times are Redis's, in seconds.

    Attributes:
        lane: The spreadsheet's lane, which is mostly its id.
        number: The lock's number.
        who: The holder's host and process.
        since: When it got the lock.
        last: When its latest call ended.
        hold: Seconds without a call after which the lock lapses.
        state: ``held``; or ``released`` or ``broken``, if calls of the holder still run.

    """

    lane: str
    number: str
    who: str
    since: float
    last: float
    hold: float
    state: str


def holder_of(lane: str, text: bytes | str) -> LockHolder | None:
    """Return a lock's holder; None if there is none, or something else was written there."""
    match = _HOLDER.fullmatch(as_text(text))
    if match is None:
        return None
    number, since, last, hold, state, who = match.groups()
    # Anyone may have written it, and it is logged.
    shown = who[:_LONGEST_WHO] if who.isprintable() else "?"
    at, latest, longest = (int(each) / 1000 for each in (since, last, hold))
    return LockHolder(lane, number, shown, at, latest, longest, state)


def holders_of(found: Mapping[bytes, bytes]) -> list[LockHolder]:
    """Return the holders of all locks of a namespace."""
    holders = (holder_of(as_text(lane), text) for lane, text in found.items())
    return [holder for holder in holders if holder is not None]
