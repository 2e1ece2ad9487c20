"""The clock of a Redis, as far as it is known without asking."""

from __future__ import annotations

from typing import Final

from queued_gspread._clock import now

__all__ = ["RedisClock"]

# The share of the time passed here that has passed on Redis's clock too, however the two differ.
_CERTAIN: Final = 0.999


class RedisClock:
    """What the clock of a Redis shows at the least, by what it has shown before."""

    def __init__(self) -> None:
        self._seen: tuple[int, float] | None = None

    def saw(self, shown: int) -> None:
        """Note what it has just shown, in milliseconds."""
        self._seen = shown, now()

    def forget(self) -> None:
        """Have the next job wait for another look at the queue."""
        self._seen = None

    def at_least(self) -> int | None:
        """Return what it shows now, or a little less; None if it was never seen."""
        if self._seen is None:
            return None
        shown, moment = self._seen
        return shown + int((now() - moment) * 1000 * _CERTAIN)
