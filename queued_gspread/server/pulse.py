"""Whether the loops of a server still go round: what a watchdog is fed with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from queued_gspread._clock import now

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Pulse"]


class Pulse:
    """When each loop of a server last went round. Any thread may use it.

    A turn ends, and so counts, whatever comes of it: a Redis that is away is no loop that is stuck.

    Args:
        clock: A monotonic clock, in seconds.

    """

    def __init__(self, clock: Callable[[], float] = now) -> None:
        self._clock = clock
        self._turns: dict[object, float] = {}

    def turn(self, loop: object) -> None:
        """Note that a loop begins a turn."""
        self._turns[loop] = self._clock()

    def end(self, loop: object) -> None:
        """Expect no further turn of a loop."""
        self._turns.pop(loop, None)

    @property
    def silence(self) -> float:
        """Seconds since the slowest loop began its turn; infinite if there is none."""
        return self._clock() - min(list(self._turns.values()), default=-math.inf)
