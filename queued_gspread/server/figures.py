"""What a server counts for those who look at the queue: calls, requests and times.

The names of the counts, as they are published:

======================  =============================================================
``calls KIND OUTCOME``  calls that ended; their kind is that of their requests
``waited KIND PLACE``   how long they waited: a histogram, by the places of ``BOUNDS``
``took KIND PLACE``     how long they took, from their enqueue to their answer
``requests KIND END``   requests that were sent, each attempt for itself
``answered KIND PLACE`` how long Google took
``carried KIND``        the calls that requests were for; a call counts once for each request
``merged KIND``         those of them that shared a request with others
``resent KIND``         requests that were sent again
======================  =============================================================

The place ``ms`` of a histogram has the sum of the times, in milliseconds.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import BOUNDS

if TYPE_CHECKING:
    Caller = tuple[str, int]

__all__ = ["Counted", "Figures", "step_of"]

# Callers that are counted between two publications, and those of them that are published.
_MOST_CALLERS: Final = 1000
_TOP: Final = 50
# The slowest answer counts for so many publications.
_REMEMBERED: Final = 30
_FAILED: Final = ("failed", "unknown", "poisoned", "late")


@dataclass(frozen=True)
class Counted:
    """What was counted since the last time.

    Attributes:
        counts: By the parts of their names.
        callers: Of each caller: calls, those that failed, requests.

    """

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    callers: dict[Caller, tuple[int, int, float]] = field(default_factory=dict)

    @property
    def totals(self) -> dict[str, int]:
        """The counts by name."""
        return {" ".join(name): number for name, number in self.counts.items() if number}

    @property
    def top_callers(self) -> list[tuple[Caller, tuple[int, int, float]]]:
        """The callers with the most calls, and what was counted of them."""
        return sorted(self.callers.items(), key=lambda each: -each[1][0])[:_TOP]


class Figures:
    """Counts. Thread-safe: all lanes of a server share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counted = Counted()
        self._slowest: deque[dict[str, float]] = deque([{}], maxlen=_REMEMBERED)

    def note_call(
        self,
        kind: str,
        outcome: str,
        caller: Caller | None,
        waited: float,
        took: float,
        requests: float,
    ) -> None:
        """Count a call that has ended.

        Args:
            kind: The kind of its requests; '' for none.
            outcome: How it ended, in a word.
            caller: Its caller; None if not known.
            waited: The seconds that it waited.
            took: The seconds from its enqueue to now.
            requests: Its part of the requests that were sent for it.

        """
        kind = kind or "none"
        with self._lock:
            counted = self._counted
            counts = counted.counts
            counts["calls", kind, outcome] += 1
            _measure(counts, "waited", kind, waited)
            _measure(counts, "took", kind, took)
            is_room = len(counted.callers) < _MOST_CALLERS
            if caller is not None and (is_room or caller in counted.callers):
                calls, failed, sent = counted.callers.get(caller, (0, 0, 0.0))
                failed += outcome in _FAILED
                counted.callers[caller] = calls + 1, failed, sent + requests

    def note_request(
        self, kind: str, end: str, calls: int, seconds: float, *, is_again: bool
    ) -> None:
        """Count an attempt at a request.

        Args:
            kind: Its kind.
            end: What came of it, in a word.
            calls: How many calls it was for.
            seconds: How long Google took.
            is_again: Whether it was sent before.

        """
        with self._lock:
            counts, slowest = self._counted.counts, self._slowest[-1]
            counts["requests", kind, end] += 1
            counts["carried", kind] += calls
            if calls > 1:
                counts["merged", kind] += calls
            if is_again:
                counts["resent", kind] += 1
            _measure(counts, "answered", kind, seconds)
            slowest[kind] = max(slowest.get(kind, 0.0), seconds)

    def take(self) -> Counted:
        """Return what was counted since the last time."""
        with self._lock:
            taken, self._counted = self._counted, Counted()
            self._slowest.append({})
        return taken

    @property
    def slowest(self) -> dict[str, float]:
        """The longest time that Google took for an answer lately, by kind."""
        with self._lock:
            latest = [*self._slowest]
        kinds = {kind for each in latest for kind in each}
        return {kind: max(each.get(kind, 0.0) for each in latest) for kind in sorted(kinds)}


def _measure(counts: Counter[tuple[str, ...]], what: str, kind: str, seconds: float) -> None:
    counts[what, kind, str(bisect_left(BOUNDS, seconds))] += 1
    counts[what, kind, "ms"] += max(0, round(seconds * 1000))


def step_of(counted: Counted) -> dict[str, int]:
    """Return what a step of the history keeps of counts, by short names."""
    step: Counter[str] = Counter()
    for name, number in counted.counts.items():
        match name:
            case ("calls", _, outcome):
                step["calls"] += number
                if outcome != "ok":
                    step[outcome] += number
            case ("requests", kind, end):
                step[f"requests.{kind}"] += number
                if end.startswith("refused"):
                    step[f"{end}.{kind}"] += number
            case ("carried", kind):
                step[f"carried.{kind}"] += number
            case ("resent", _):
                step["resent"] += number
    return dict(step)
