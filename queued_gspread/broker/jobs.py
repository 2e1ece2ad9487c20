"""What a server finds in the queue: a lane that is ready, its jobs, or a request to stop."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker.connection.client import as_text
from queued_gspread.broker.connection.clock_steps import enqueued_at

if TYPE_CHECKING:
    from queued_gspread.broker.connection.clock_steps import Steps

__all__ = ["Entry", "Ready", "Stop", "entry_of", "ready_of"]

# A lane that is ready with its only job, as enqueue.lua writes it; the id as in common.lua.
_WITH_JOB: Final = re.compile(rb"\0(\d+-\d+)\0([0-9A-Za-z]{1,64})\0(\d{1,9})\0")


@dataclass(frozen=True)
class Entry:
    """A job as it stands in its lane.

    Attributes:
        lane: The lane's name.
        stream_id: Its place in the lane; the time of its enqueue on Redis's clock is part of it.
        job_id: The job's id; '' for something that is not a job.
        body: The job, encoded.
        mark: How far a call that was begun before is: '', 'r', 'w' or 'j'.
        waiting: How many jobs the lane holds, this one included.
        age: Seconds from the enqueue to this look at it, on Redis's clock.
        deaths: How many servers have died since this job was handed out to them.
        seen: The moment of this look, on this machine's monotonic clock.
        is_handed_out: Whether Redis knows that this server has it.
        timeout: Seconds for which its caller may wait, once the job was read; 0 if it is not said.

    """

    lane: str
    stream_id: str
    job_id: str
    body: bytes
    mark: str
    waiting: int
    age: float = 0.0
    deaths: int = 0
    seen: float = field(default_factory=time.monotonic)
    is_handed_out: bool = True
    timeout: float = 0.0

    @property
    def key(self) -> tuple[str, str]:
        """What no other entry of the lane has; a place alone may come again, with another job."""
        return self.stream_id, self.job_id

    def deadline(self, timeout: float | None) -> float | None:
        """Return the moment at which a call is too late, on this machine's monotonic clock."""
        return None if timeout is None else self.seen + timeout - self.age


def entry_of(lane: str, found: Any, steps: Steps | None = None, since: float = 0.0) -> Entry | None:
    """Return the entry that ``head.lua`` has found, if any.

    Args:
        lane: Its lane.
        found: What the script has returned.
        steps: Those of Redis's clock, which the look has seen too.
        since: A moment before the look.

    """
    if found is None:
        return None
    entry, job_id, body, mark, waiting, now, deaths = found
    # A clock that was set back since, or somebody's own time, makes no job younger than new.
    place = as_text(entry)
    step = 0
    if steps is not None:
        steps.saw(int(now), since)
        step = steps.since(enqueued_at(place))
    age = max(0, int(now) - enqueued_at(place) - step) / 1000
    far = as_text(mark)[:1]
    return Entry(*(lane, place, job_id.decode(), body, far, int(waiting), age), deaths=int(deaths))


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
