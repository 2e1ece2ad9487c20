"""What is known about the jobs behind a lane's open ones.

A job that was looked at but may not run together with the open ones is usually the next head of the
lane. What is known about it is kept until then, if it is small and recent.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from .grouping import MOST_BYTES, MOST_CALLS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from queued_gspread.broker import Entry
    from queued_gspread.server.calls.call import Call

__all__ = ["Lookahead"]

_FIRST_LOOK: Final = 16
# The most bytes of jobs to keep while their lane waits: thousands of lanes may wait. A call that
# has begun takes about ten times the size of its job.
_MOST_KEPT: Final = 10_000
# Seconds after which a caller may well have given up.
_LONGEST: Final = 1.0


@dataclass
class Lookahead:
    """What is known about the jobs behind the open ones.

    Attributes:
        last: The stream id of the last job that was let in.
        waiting: How many jobs were behind the first one when it was let in.
        look: How many jobs to look at next.
        is_blocked: Whether the next job may not run together with the open ones.
        seen: The jobs that were looked at but not let in, in order.

    """

    last: str = ""
    waiting: int = 0
    look: int = _FIRST_LOOK
    is_blocked: bool = False
    seen: deque[Entry] = field(default_factory=deque)
    _begun: Call | None = None

    def begin_at(self, head: Entry) -> None:
        """Note that a job is the first of its lane and is let in."""
        self.last, self.waiting, self.is_blocked = head.stream_id, head.waiting - 1, head.deaths > 0
        while self.seen and self.seen.popleft().key != head.key:
            pass
        if self.seen and head.seen - self.seen[0].seen > _LONGEST:
            self.seen.clear()

    def room(self, known: Collection[Entry]) -> tuple[int, int]:
        """Return how many jobs to look at, and how many bytes they may have.

        Args:
            known: The open jobs.

        """
        size = MOST_BYTES - sum(len(entry.body) for entry in known)
        return min(self.look, MOST_CALLS - len(known)), max(size, 0)

    def saw(self, found: Sequence[Entry], asked: int) -> None:
        """Note the jobs that were found; if as many as asked for, double the next look."""
        self.seen.extend(found)
        self.look = min(2 * asked, MOST_CALLS) if len(found) == asked else _FIRST_LOOK

    def let_in(self) -> None:
        """Note that the next job is let in."""
        self.last = self.seen.popleft().stream_id

    def block(self, call: Call | None = None) -> None:
        """Note that the next job must wait for its turn; keep its call, if it has begun."""
        self.is_blocked, self.look = True, _FIRST_LOOK
        is_kept = call is not None and len(call.entry.body) <= _MOST_KEPT
        self._begun = call if is_kept else None
        size = sum(len(entry.body) for entry in self.seen)
        while size > _MOST_KEPT:
            size -= len(self.seen.pop().body)

    def begun(self, admitted: Entry) -> Call | None:
        """Return the call of a job that has already begun; only once."""
        call, self._begun = self._begun, None
        if call is None or admitted.mark or admitted.deaths:
            return None
        return call if _about(call.entry) == _about(admitted) else None


def _about(entry: Entry) -> tuple[str, str, bytes]:
    return *entry.key, entry.body
