"""Whether a server lives and is ready, by its own beats: what a process manager asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["STARTS", "Pulse"]

# A beat begins every second, or when the one before it has waited for Redis in vain: that takes
# less than half as long.
_FROZEN: Final = 60.0


@dataclass(frozen=True)
class Pulse:
    """What the thread does that keeps a server's lease, or waits for one.

    Attributes:
        state: ``starts``, ``works``, ``stands by``, ``waits for Redis`` or ``stops``.
        beat: The seconds since it last began a beat.

    """

    state: str
    beat: float = 0.0

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs, with Redis or without."""
        return self.beat <= _FROZEN

    @property
    def is_ready(self) -> bool:
        """Whether Redis answers, and the server works or stands by."""
        return self.state in ("works", "stands by")


STARTS: Final = Pulse("starts")
"""Of a server that does not beat yet."""
