"""Steps of Redis's clock: time that it shows as passed, and that has not passed on this machine's.

A call is late by Redis's clock, which every server reads alike. Where that is set forward (or
another Redis with another clock becomes the master), the server that works sees it, and allows the
calls that were put in before it as much time more. It never allows more than the step was, so that
none is begun late; one that has not seen the step, since it came later, goes by Redis's clock.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from queued_gspread._clock import now

__all__ = ["Steps", "enqueued_at"]

# Milliseconds: clocks that are corrected slowly make no step.
_LEAST: Final = 1000
_MOST: Final = 16


class Steps:
    """What the clock of one Redis has shown to this process, and by how much it was set forward."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # What it has shown last, and the moments here between which it did so.
        self._last: tuple[int, float, float] | None = None
        # Times that it has shown only since a step, with what that step came to.
        self._steps: deque[tuple[int, int]] = deque(maxlen=_MOST)

    def moment(self) -> float:
        """Return the present moment, before a look at that clock."""
        return now()

    def saw(self, shown: int, since: float) -> None:
        """Note a time that it has shown, in milliseconds, at some moment since another one."""
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
            # Times come again: nobody knows any more before which step one was.
            self._steps.clear()

    def since(self, enqueued: int) -> int:
        """Return by how many milliseconds it was set forward since it has shown a time."""
        with self._lock:
            return sum(step for begins, step in self._steps if enqueued < begins)


def enqueued_at(entry: str) -> int:
    """Return the time at which an entry was put in, in milliseconds; it is part of its place."""
    return int(entry.partition("-")[0])
