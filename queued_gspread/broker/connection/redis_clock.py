"""A Redis's clock, as far as it is known without asking."""

from __future__ import annotations

from math import inf
from typing import Final

from queued_gspread._clock import now

__all__ = ["RedisClock"]

# The share of local time that has certainly passed on Redis's clock too, however the two drift.
_CERTAIN: Final = 0.999


class RedisClock:
    """A lower bound for a Redis's clock, from a time that it showed before."""

    def __init__(self) -> None:
        self._seen: tuple[int, float] | None = None

    def saw(self, shown: int) -> None:
        """Note the time that it just showed, in milliseconds."""
        self._seen = shown, now()

    def forget(self) -> None:
        """Make the next job look at the queue first."""
        self._seen = None

    def at_least(self, within: float = inf) -> int | None:
        """Return the time that it shows now, or a little less; None if unknown.

        Args:
            within: So many seconds ago it must have been seen: then it is less by a thousandth of
                them at the most.

        """
        if self._seen is None:
            return None
        shown, moment = self._seen
        if now() - moment > within:
            return None
        return shown + int((now() - moment) * 1000 * _CERTAIN)
