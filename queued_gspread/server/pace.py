"""A fixed minimum spacing between requests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pace"]


class Pace:
    """Hands out moments to send at, each at least ``interval`` seconds after the one before.

    Args:
        interval: Seconds; 0 never waits.
        wait: Waits for so many seconds and returns True if the server is to stop.
        clock: A monotonic clock, in seconds.
        sleep: Waits for so many seconds, whatever happens.

    """

    def __init__(
        self,
        interval: float,
        wait: Callable[[float], bool],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._interval = interval
        self._wait = wait
        self._clock = clock
        self._sleep = sleep
        self._next = float("-inf")
        self._lock = threading.Lock()

    def take_turn(self, *, even_when_stopping: bool = False) -> bool:
        """Wait for the next moment; False if the server is to stop instead."""
        if self._interval <= 0:
            return True
        delay = self._reserve() - self._clock()
        if delay <= 0 or not self._wait(delay):
            return True
        if even_when_stopping:
            self._sleep(max(0.0, delay))
        return even_when_stopping

    def _reserve(self) -> float:
        with self._lock:
            moment = max(self._next, self._clock())
            self._next = moment + self._interval
            return moment
