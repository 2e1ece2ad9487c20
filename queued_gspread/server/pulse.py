"""Whether a server lives and is ready, by its own beats: what a process manager asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import now

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["STARTS", "Loops", "Pulse"]

# A beat begins every second, or when the one before it has waited for Redis in vain: that takes
# less than half as long.
_FROZEN: Final = 60.0


@dataclass(frozen=True)
class Pulse:
    """What a server does, and whether its loops go round.

    Attributes:
        state: ``starts``, ``works``, ``stands by``, ``waits for Redis`` or ``stops``.
        beat: The seconds since the lease's thread last began a beat, or since the dispatcher last
            went round: whichever is longer.

    """

    state: str
    beat: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether its loops go round, with Redis or without."""
        return self.beat <= _FROZEN

    @property
    def is_ready(self) -> bool:
        """Whether Redis answers, and the server works or stands by."""
        return self.state in ("works", "stands by")


STARTS: Final = Pulse("starts")
"""Of a server that does not beat yet."""


class Loops:
    """When each loop of a server last began a turn. Any thread may use it.

    A turn counts, whatever comes of it: a Redis that is away is no loop that is stuck.

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
        """Seconds since the slowest loop began its turn; 0 if there is none."""
        at = self._clock()
        return max((at - turn for turn in list(self._turns.values())), default=0.0)
