"""What this process has done for jobs, so that it makes no call twice.

After a failover, Redis may have lost a call's mark, its journal or its answer, and its job may be
in the lane again. This process still knows what it sent or answered itself, in whatever epoch.
Calls that only read and did not fail are not kept: they are simply made again.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .call import MAY_HAVE_WRITTEN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .call import Call
    from .outcome import Outcome

__all__ = ["Ended", "History"]

# The ids of so many calls that have written take some 50 MB.
_MOST_ENDED: Final = 250_000
_MOST_BYTES: Final = 32 * 1024**2
# Calls that were left unfinished keep their whole job.
_MOST_LEFT: Final = 1_000


@dataclass(frozen=True)
class Ended:
    """A call that has ended, and may have written or has failed.

    Attributes:
        mark: How far it had come.
        reply: Its reply; None if that is no longer kept.
        failure: What Redis is to keep of its failure.
        promise: What it is to keep under its idempotency key.

    """

    mark: str
    reply: bytes | None = None
    failure: bytes = b""
    promise: bytes = b""


class History:
    """The calls of one process by their jobs' ids. Thread-safe. The oldest are dropped first.

    Args:
        most: How many calls that have ended are kept.
        most_bytes: How many bytes of replies are kept.
        most_left: How many unfinished calls are kept.

    """

    def __init__(
        self,
        most: int = _MOST_ENDED,
        most_bytes: int = _MOST_BYTES,
        most_left: int = _MOST_LEFT,
    ) -> None:
        self._most, self._most_bytes, self._most_left = most, most_bytes, most_left
        self._lock = threading.Lock()
        self._begun: dict[str, Call] = {}
        self._left: OrderedDict[str, Call] = OrderedDict()
        self._ended: OrderedDict[str, Ended] = OrderedDict()
        # Those that still have a reply, oldest first, with its size and that of the failure.
        self._replies: OrderedDict[str, int] = OrderedDict()
        self._bytes = 0

    def begin(self, call: Call) -> None:
        """Record a call that is about to be made."""
        with self._lock:
            self._begun[call.entry.job_id] = call
            self._left.pop(call.entry.job_id, None)

    def leave(self, calls: Iterable[Call]) -> None:
        """Record that calls go no further in their epoch."""
        with self._lock:
            for call in calls:
                if self._begun.get(call.entry.job_id) is call:
                    self._leave(call)

    def _leave(self, call: Call) -> None:
        del self._begun[call.entry.job_id]
        if call.mark in MAY_HAVE_WRITTEN:
            self._left[call.entry.job_id] = call
        if len(self._left) > self._most_left:
            forgotten, dropped = self._left.popitem(last=False)
            self._keep(forgotten, Ended(dropped.mark))

    def end(self, job_id: str, outcome: Outcome) -> None:
        """Record how a call has ended, before anything else learns of it."""
        with self._lock:
            call = self._begun.pop(job_id, None) or self._left.pop(job_id, None)
            # A caller that saw its call fail may have made another one in its place.
            if call is not None and (call.mark in MAY_HAVE_WRITTEN or outcome.word != "ok"):
                ended = Ended(call.mark, outcome.reply, outcome.failure, outcome.promise)
                self._keep(job_id, ended)

    def is_underway(self, job_id: str) -> bool:
        """Return whether a job's call is being made, even in an epoch that has ended."""
        return job_id in self._begun

    def underway(self) -> list[Call]:
        """Return the calls that are being made."""
        with self._lock:
            return [*self._begun.values()]

    def knows(self, job_id: str) -> bool:
        """Return whether this process did anything for a job that it must not do again."""
        return job_id in self._begun or job_id in self._left or job_id in self._ended

    def left(self, job_id: str) -> Call | None:
        """Return a job's call that was left unfinished."""
        return self._left.get(job_id)

    def ended(self, job_id: str) -> Ended | None:
        """Return how a job's call has ended."""
        return self._ended.get(job_id)

    def _keep(self, job_id: str, ended: Ended) -> None:
        self._drop_reply(job_id)
        self._ended[job_id] = ended
        self._ended.move_to_end(job_id)
        if ended.reply is not None:
            self._replies[job_id] = len(ended.reply) + len(ended.failure)
            self._bytes += self._replies[job_id]
        while self._bytes > self._most_bytes:
            oldest = next(iter(self._replies))
            self._drop_reply(oldest)
            self._ended[oldest] = Ended(self._ended[oldest].mark)
        if len(self._ended) > self._most:
            self._drop_reply(self._ended.popitem(last=False)[0])

    def _drop_reply(self, job_id: str) -> None:
        self._bytes -= self._replies.pop(job_id, 0)
