"""Sleep by the emulator's own clock; sleepers wake in the order of their moments."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# How often a clock that is not the event loop's own is looked at, in seconds.
_STEP = 0.001


class StoppedError(Exception):
    """The emulator was stopped before the moment came."""


class Alarm:
    """Wakes coroutines of one event loop when a clock has reached their moment."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        """Take the clock that decides."""
        self._now = monotonic
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    async def until(self, moment: float) -> None:
        """Return at a moment, at once if it has passed; raise StoppedError after stop()."""
        if moment <= self._now():
            return
        if self._stopped:
            raise StoppedError
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._numbers), woken))
        self._look()
        await woken

    def stop(self) -> None:
        """Wake all sleepers with StoppedError, now and from now on."""
        self._stopped = True
        for _, _, woken in self._sleepers:
            if not woken.done():
                woken.set_exception(StoppedError())
        self._sleepers.clear()
        self._look()

    def _look(self) -> None:
        """Wake the sleepers that are due, and check again when the next one may be."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        now = self._now()
        while self._sleepers and self._sleepers[0][0] <= now:
            woken = heapq.heappop(self._sleepers)[2]
            if not woken.done():
                woken.set_result(None)
        if self._sleepers:
            pause = self._pause(self._sleepers[0][0] - now)
            self._timer = asyncio.get_running_loop().call_later(pause, self._look)

    def _pause(self, seconds: float) -> float:
        # Another clock than the loop's may jump.
        return seconds if self._now is time.monotonic else min(seconds, _STEP)
