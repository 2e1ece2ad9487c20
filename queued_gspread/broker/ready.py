"""What a server waits for: a request to stop, or a lane that is ready.

What waits in the list of ready lanes is a name, or a name with the lane's only job.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .jobs import Entry

__all__ = ["Ready", "Stop", "ready_of"]

# As enqueue.lua writes it; a job's id as in common.lua.
_WITH_JOB: Final = re.compile(rb"\0(\d+-\d+)\0([0-9A-Za-z]{1,64})\0(\d{1,9})\0")


@dataclass(frozen=True)
class Stop:
    """A request to stop: it comes from the list of such requests, whatever lanes are called."""


@dataclass(frozen=True)
class Ready:
    """A lane that holds jobs.

    Attributes:
        lane: Its name.
        first: Its only job at the time of its enqueue, where that is known: nobody had it then.

    """

    lane: str
    first: Entry | None = None


def ready_of(item: bytes) -> Ready:
    """Return what an item of the list says; whatever else it is, it is a lane's name."""
    found = _WITH_JOB.match(item)
    if found is None:
        return Ready(_text(item))
    entry, job_id, size = found.groups()
    end = found.end() + int(size)
    lane = _text(item[found.end() : end])
    place, body = entry.decode(), item[end:]
    return Ready(lane, Entry(lane, place, job_id.decode(), body, "", 1, is_handed_out=False))


def _text(name: bytes) -> str:
    """Return the name of a lane, which goes back to Redis as it came, whoever wrote it."""
    return name.decode(errors="surrogateescape")
