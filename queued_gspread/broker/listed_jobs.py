"""The jobs of the queue as an operator sees them: without their arguments. Pure.

A large job is looked at without its end, so only what stands at its beginning is known of it. Jobs
are read as plain JSON: nothing is made of what they hold. Anyone may have written them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.protocol.signing import is_signed

from .connection.client import as_text
from .connection.clock_steps import enqueued_at
from .locks import LOCKED, is_lock, spreadsheet_lane
from .pauses import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WHOLE", "ListedJob", "fields_of", "method_and_caller", "page_of"]

WHOLE: Final = 16_384
"""Bytes of a job that are looked at for a list of jobs; most jobs are smaller."""

_LONGEST: Final = 100
_LAST: Final = 2**64 - 1
_UNKNOWN: Final = "?"


@dataclass(frozen=True)
class ListedJob:
    """A job that waits, or whose call is being made.

    Attributes:
        lane: Its lane.
        stream_id: Its entry there.
        job_id: Its id.
        mark: How far its call is: '' for not begun.
        size: Its bytes.
        age: Seconds since it was put in, on Redis's clock.
        body: It, or its beginning.

    """

    lane: str
    stream_id: str
    job_id: str
    mark: str
    size: int
    age: float
    body: bytes = field(repr=False, default=b"")

    @property
    def place(self) -> tuple[int, int]:
        """Its entry, to compare with others of its lane."""
        moment, _, number = self.stream_id.partition("-")
        return int(moment), int(number)

    @property
    def just_before(self) -> str:
        """The last entry that may stand before it."""
        moment, number = self.place
        return f"{moment}-{number - 1}" if number else f"{moment - 1}-{_LAST}"

    @property
    def spreadsheet(self) -> str:
        """Its spreadsheet's id, as lanes are named, on one line; ``-`` for none."""
        return _word(spreadsheet_lane(self.lane))

    @property
    def state(self) -> str:
        """What becomes of it, in words."""
        if is_lock(self.job_id):
            return "has the lock" if self.mark == LOCKED else "waits for the lock"
        return "running" if self.mark else "waiting"

    def shown(self) -> dict[str, Any]:
        """Return all that may be shown of it: no argument and no title."""
        known = fields_of(self.body)
        method, caller = method_and_caller(known)
        timeout = known.get("timeout")
        return {
            "job": self.job_id,
            "state": self.state,
            "spreadsheet": self.spreadsheet,
            "under_lock": self.lane != spreadsheet_lane(self.lane),
            "method": method,
            "caller": caller,
            "age": round(self.age, 3),
            "timeout": timeout if isinstance(timeout, (int, float)) else None,
            "unattended": known.get("unattended") is True,
            "bytes": self.size,
            "signed": is_signed(self.body),
        }


def method_and_caller(known: Mapping[str, Any]) -> tuple[str, str]:
    """Return what a job calls and whose it is, of its fields as far as they are known."""
    kind, method, who = known.get("kind"), known.get("method"), known.get("caller")
    is_caller = isinstance(who, list) and len(who) == 2  # noqa: PLR2004 - host and process
    what = f"{kind}.{method}" if kind and method else _UNKNOWN
    return _word(what), _word(":".join(map(str, who)) if is_caller and who else _UNKNOWN)


def _word(text: str) -> str:
    return one_line(text, _LONGEST)


def fields_of(body: bytes) -> dict[str, Any]:
    """Return the fields of a job that stand before its end, or before where it was cut off."""
    message = body.split(b":", 3)[-1] if is_signed(body) else body
    text, found = message.decode(errors="replace"), {}
    decoder, place = json.JSONDecoder(), 1
    try:
        while place < len(text):
            name, place = decoder.raw_decode(text, place)
            value, place = decoder.raw_decode(text, place + 1)
            if place >= len(text):
                break  # it may go on
            found[name] = value
            place += 1
    except (ValueError, TypeError, RecursionError):
        pass
    return found


def page_of(lane: str, result: Any) -> tuple[str, list[ListedJob]]:
    """Return where to go on, '' at the end, and the jobs in a result of ``jobs.lua``."""
    after, now, *items = result
    return as_text(after), [_job(lane, int(now), *item) for item in items]


def _job(
    lane: str, now: int, entry: bytes, job_id: bytes, mark: bytes, size: int, body: bytes
) -> ListedJob:
    stream_id = as_text(entry)
    age = max(0, now - enqueued_at(stream_id)) / 1000
    return ListedJob(lane, stream_id, as_text(job_id), as_text(mark)[:1], int(size), age, body)
