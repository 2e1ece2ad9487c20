"""Steps of Redis's clock: time that passed on it, but not on this machine's clock.

Whether a call is late is decided by Redis's clock, which all servers read alike. If that is set
forward (or another Redis with another clock becomes the master), the working server notices it and
gives the calls that were enqueued before as much extra time. It never gives more than the step, so
that no call starts late. A server that came later did not see the step and goes by Redis's clock.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from queued_gspread._clock import now

__all__ = ["Steps", "enqueued_at"]

# In milliseconds: a clock that is corrected slowly makes no step.
_LEAST: Final = 1000
_MOST: Final = 16


class Steps:
    """The times that one Redis's clock has shown, and the steps by which it was set forward."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # The latest time that it showed, and the local moments between which it did so.
        self._last: tuple[int, float, float] | None = None
        # For each step, the first time that it showed only afterwards, and the step's size.
        self._steps: deque[tuple[int, int]] = deque(maxlen=_MOST)

    def moment(self) -> float:
        """Return the present local moment, before a look at that clock."""
        return now()

    def saw(self, shown: int, since: float) -> None:
        """Note a time that it showed, in milliseconds, at some local moment after ``since``."""
        with self._lock:
            last, self._last = self._last, (shown, since, now())
            if last is not None:
                self._compare(last, self._last)

    def _compare(self, last: tuple[int, float, float], this: tuple[int, float, float]) -> None:
        most, least = (round(1000 * each) for each in (this[2] - last[1], this[1] - last[2]))
        passed = this[0] - last[0]
        if passed - most > _LEAST:
            self._steps.append((this[0] - most, passed - most))
        elif passed < least - _LEAST:
            # It was set back, so a time no longer says which steps came after it.
            self._steps.clear()

    def since(self, enqueued: int) -> int:
        """Return by how many milliseconds it was set forward since it showed a time."""
        with self._lock:
            return sum(step for begins, step in self._steps if enqueued < begins)


def enqueued_at(entry: str) -> int:
    """Return the time of an entry's enqueue in milliseconds, which is part of its stream id."""
    return int(entry.partition("-")[0])
