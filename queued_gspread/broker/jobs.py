"""What a server finds in the queue: a ready lane, its jobs, or a request to stop."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from queued_gspread.broker.connection.client import as_text
from queued_gspread.broker.connection.clock_steps import enqueued_at

from .locks import spreadsheet_lane

if TYPE_CHECKING:
    from queued_gspread.broker.connection.clock_steps import Steps

__all__ = ["Entry", "Ready", "Stop", "entry_of", "ready_of"]

# An item with a ready lane's only job, as enqueue.lua writes it by common.lua; the id as there.
_WITH_JOB: Final = re.compile(rb"\0(\d+-\d+)\0([0-9A-Za-z]{1,64})\0(\d{1,9})\0")


@dataclass(frozen=True)
class Entry:
    """A job in its lane.

    Attributes:
        lane: The lane's name.
        stream_id: Its id in the lane's stream, which contains the time of its enqueue on Redis's
            clock.
        job_id: The job's id; '' for an entry that is not a job.
        body: The job, encoded.
        mark: The progress of a call that was started before: '', 'r', 'w' or 'j'.
        waiting: How many jobs the lane holds, this one included.
        age: Seconds from the enqueue to this look at it, on Redis's clock.
        deaths: How many servers died after this job was delivered to them.
        seen: The moment of this look, on this machine's monotonic clock.
        is_handed_out: Whether Redis knows that it was delivered to this server.
        timeout: Seconds for which its caller waits, once the job was read; 0 if not given.
        failure: What is kept of its failure, once it has failed.
        promise: What is kept under its idempotency key, once it has ended and if it has one.

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
    failure: bytes = b""
    promise: bytes = b""

    @property
    def key(self) -> tuple[str, str]:
        """Identifies it in the lane: a stream id alone may be used again, for another job."""
        return self.stream_id, self.job_id

    @property
    def spreadsheet(self) -> str:
        """The lane of its spreadsheet, whoever holds the lock of that."""
        return spreadsheet_lane(self.lane)

    def deadline(self, timeout: float | None) -> float | None:
        """Return when a call is too late, on this machine's monotonic clock; None for never."""
        return None if timeout is None else self.seen + timeout - self.age


def entry_of(
    lane: str, result: Any, steps: Steps | None = None, since: float = 0.0
) -> Entry | None:
    """Return the entry in a result of ``head.lua``, if any.

    Args:
        lane: Its lane.
        result: The script's result.
        steps: The steps of Redis's clock; the look's time is noted there.
        since: A moment before the look.

    """
    if result is None:
        return None
    entry, job_id, body, mark, waiting, now, deaths = result
    stream_id = as_text(entry)
    step = 0
    if steps is not None:
        steps.saw(int(now), since)
        step = steps.since(enqueued_at(stream_id))
    # Not negative, even if the clock was set back since, or a writer chose the stream id.
    age = max(0, int(now) - enqueued_at(stream_id) - step) / 1000
    return Entry(
        lane=lane,
        stream_id=stream_id,
        job_id=job_id.decode(),
        body=body,
        mark=as_text(mark)[:1],
        waiting=int(waiting),
        age=age,
        deaths=int(deaths),
    )


@dataclass(frozen=True)
class Stop:
    """A request to stop, from a list of its own, so that no lane's name can be one.

    Attributes:
        by: Who asks, user and host; '' for the server itself.

    """

    by: str = ""


@dataclass(frozen=True)
class Ready:
    """A lane that holds jobs.

    Attributes:
        lane: Its name.
        first: Its only job at the time of the enqueue, if known; it was not delivered before.

    """

    lane: str
    first: Entry | None = None


def ready_of(item: bytes) -> Ready:
    """Return the lane, and perhaps its job, of an item; any other item is a lane's name."""
    match = _WITH_JOB.match(item)
    if match is None:
        return Ready(_text(item))
    entry, job_id, size = match.groups()
    end = match.end() + int(size)
    lane = _text(item[match.end() : end])
    first = Entry(
        lane=lane,
        stream_id=entry.decode(),
        job_id=job_id.decode(),
        body=item[end:],
        mark="",
        waiting=1,
        is_handed_out=False,
    )
    return Ready(lane, first)


def _text(name: bytes) -> str:
    """Return a lane's name, which can go back to Redis unchanged even if it is not UTF-8."""
    return name.decode(errors="surrogateescape")
