"""A job in its lane, with what Redis knows about it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from queued_gspread.broker.connection.client import as_text
from queued_gspread.broker.connection.clock_steps import enqueued_at

if TYPE_CHECKING:
    from queued_gspread.broker.connection.clock_steps import Steps

__all__ = ["Entry", "entry_of"]


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
        """Identifies it in the lane: a stream id alone may be used again, for another job."""
        return self.stream_id, self.job_id

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
