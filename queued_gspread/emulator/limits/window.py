"""A window of time in which only so many requests are allowed."""

from __future__ import annotations

from collections import deque
from math import floor
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable

Movement: TypeAlias = Literal["fixed", "staggered", "sliding", "lenient"]
MOVEMENTS: Final = get_args(Movement)
# The share of a lenient window in which requests are not counted yet.
LAG: Final = 0.1


class Window:
    """At most `limit` requests in `length` seconds, over times that never go back.

    A fixed or staggered window is [k * length + offset, (k + 1) * length + offset) for a whole k;
    the offset of a staggered one is its account's own, which the caller knows. A sliding one is
    every (t - length, t]. A lenient one slides and counts late: what came in the last tenth of its
    length is let through whatever its number, and keeps others out from then on.
    """

    def __init__(
        self, limit: int, length: float, movement: Movement = "fixed", offset: float = 0.0
    ) -> None:
        """Begin with nothing counted."""
        self._limit = limit
        self._length = length
        self._offset = offset
        self._lag = length * LAG if movement == "lenient" else 0.0
        self._times: deque[float] = deque()
        self._uncounted: deque[float] = deque()
        self._ended: Callable[[float, float], bool] = (
            self._apart if movement in {"fixed", "staggered"} else self._too_old
        )

    def used(self, now: float) -> int:
        """Return how many requests are counted in the window of a moment."""
        while self._uncounted and self._uncounted[0] + self._lag <= now:
            self._times.append(self._uncounted.popleft())
        while self._times and self._ended(self._times[0], now):
            self._times.popleft()
        return len(self._times)

    def allows(self, now: float) -> bool:
        """Whether one more request fits at a moment."""
        return self.used(now) < self._limit

    def count(self, now: float) -> None:
        """Count a request at a moment, whether it fits or not."""
        (self._uncounted if self._lag else self._times).append(now)

    def _too_old(self, moment: float, now: float) -> bool:
        return moment + self._length <= now

    def _apart(self, moment: float, now: float) -> bool:
        return self._number(moment) != self._number(now)

    def _number(self, moment: float) -> int:
        number = floor((moment - self._offset) / self._length)
        # The division rounds, but a window's lower bound must not fall into the window before it.
        while moment < self._start(number):
            number -= 1
        while moment >= self._start(number + 1):
            number += 1
        return number

    def _start(self, number: int) -> float:
        return number * self._length + self._offset
