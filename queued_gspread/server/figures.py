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
``account NAME KIND``   requests that were sent under an account, where there are several
``takeovers``           leases that were taken, but the first
======================  =============================================================

The place ``ms`` of a histogram has the sum of the times, in milliseconds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from queued_gspread.broker import BOUNDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from queued_gspread.server.tally import Tally

__all__ = ["Counted", "EndedCall", "Figures", "SentRequest", "step_of"]

Caller: TypeAlias = tuple[str, int]

# Callers that are counted between two publications, and those of them that are published.
_MOST_CALLERS: Final = 1000
_TOP: Final = 50
# The slowest answer counts for so many publications.
_REMEMBERED: Final = 30
# What is noted between two publications; beyond that the first is not counted.
_MOST_NOTED: Final = 100_000
_PLACES: Final = len(BOUNDS) + 1
_FAILED: Final = ("failed", "unknown", "poisoned", "late")


EndedCall: TypeAlias = "tuple[Tally | None, str, Caller | None, float, float]"
"""A call that has ended: its requests, None if there were none; how it ended, in a word; its
caller, None if not known; when it was enqueued, and answered, on a monotonic clock. Plain tuples,
as there is one for each call."""

SentRequest: TypeAlias = tuple[str, str, int, float, bool]
"""An attempt at a request: its kind; what came of it, in a word; how many calls it was for; the
seconds that Google took; whether it was sent before."""


@dataclass(frozen=True)
class Counted:
    """What was counted since the last time.

    Attributes:
        counts: By the parts of their names.
        times: Of each histogram, by the first two parts of its names: the number in each place,
            then the sum of the times, in seconds.
        callers: Of each caller: calls, those that failed, requests.
        slowest: The longest time that Google took for an answer, by kind.

    """

    counts: Counter[tuple[str, ...]] = field(default_factory=Counter)
    times: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    callers: dict[Caller, tuple[int, int, float]] = field(default_factory=dict)
    slowest: dict[str, float] = field(default_factory=dict)

    @property
    def totals(self) -> dict[str, int]:
        """The counts by name."""
        named = {" ".join(name): number for name, number in self.counts.items()}
        for (what, kind), places in self.times.items():
            named |= {f"{what} {kind} {place}": int(n) for place, n in enumerate(places[:-1])}
            named[f"{what} {kind} ms"] = max(0, round(places[-1] * 1000))
        return {name: number for name, number in named.items() if number}

    @property
    def top_callers(self) -> list[tuple[Caller, tuple[int, int, float]]]:
        """The callers with the most calls, and what was counted of them."""
        return sorted(self.callers.items(), key=lambda each: -each[1][0])[:_TOP]

    def add_call(self, call: EndedCall) -> None:
        """Count a call."""
        tally, outcome, caller, began, ended = call
        kind = "none" if tally is None else _kind_of(tally.counts)
        self.counts["calls", kind, outcome] += 1
        self._measure(
            "waited", kind, (ended - began) if tally is None else tally.waited(began, ended)
        )
        self._measure("took", kind, ended - began)
        if tally is not None and (tally.recalled or tally.missed):
            self.counts["recalled", "read"] += tally.recalled
            self.counts["missed", "read"] += tally.missed
        if caller is None:
            return
        if caller in self.callers or len(self.callers) < _MOST_CALLERS:
            calls, failed, requests = self.callers.get(caller, (0, 0, 0.0))
            failed += outcome in _FAILED
            requests += 0.0 if tally is None else tally.share
            self.callers[caller] = calls + 1, failed, requests

    def add_request(self, request: SentRequest) -> None:
        """Count an attempt at a request."""
        counts, (kind, end, calls, seconds, is_again) = self.counts, request
        counts["requests", kind, end] += 1
        counts["carried", kind] += calls
        if calls > 1:
            counts["merged", kind] += calls
        if is_again:
            counts["resent", kind] += 1
        self._measure("answered", kind, seconds)
        if seconds > self.slowest.get(kind, 0.0):
            self.slowest[kind] = seconds

    def _measure(self, what: str, kind: str, seconds: float) -> None:
        places = self.times.get((what, kind))
        if places is None:
            places = self.times[what, kind] = [0.0] * (_PLACES + 1)
        places[bisect_left(BOUNDS, seconds)] += 1
        places[-1] += seconds


class Figures:
    """Counts what any thread notes, in the thread that publishes it: a call does not wait for it.

    One thread takes what was counted.

    Attributes:
        own_account: The name of the namespace's own account, where there are several.

    """

    def __init__(self) -> None:
        self.own_account = ""
        # Threads may add to a deque, and another take from it, without a lock.
        self._calls: deque[EndedCall] = deque(maxlen=_MOST_NOTED)
        self._requests: deque[SentRequest] = deque(maxlen=_MOST_NOTED)
        self._sent_as: deque[tuple[str, str]] = deque(maxlen=_MOST_NOTED)
        self._slowest: deque[dict[str, float]] = deque(maxlen=_REMEMBERED)
        self._takeovers = 0
        self.note_call = self._calls.append
        self.note_request = self._requests.append
        # An account, '' for the namespace's own, and a kind of request.
        self.note_sent_as = self._sent_as.append

    def note_takeover(self) -> None:
        """Count a takeover, in the thread that publishes."""
        self._takeovers += 1

    def take(self) -> Counted:
        """Return what was noted since the last time."""
        counted = Counted(Counter({("takeovers",): self._takeovers}))
        self._takeovers = 0
        for _ in range(len(self._calls)):
            counted.add_call(self._calls.popleft())
        for _ in range(len(self._requests)):
            counted.add_request(self._requests.popleft())
        for _ in range(len(self._sent_as)):
            name, kind = self._sent_as.popleft()
            counted.counts["account", name or self.own_account, kind] += 1
        self._slowest.append(counted.slowest)
        return counted

    @property
    def slowest(self) -> dict[str, float]:
        """The longest time that Google took for an answer lately, by kind."""
        latest = [*self._slowest]
        kinds = {kind for each in latest for kind in each}
        return {kind: max(each.get(kind, 0.0) for each in latest) for kind in sorted(kinds)}


def _kind_of(sent: Mapping[tuple[str, int], int]) -> str:
    """Return what kind of call it is, by its requests: it writes, uses Drive, reads, or none."""
    if len(sent) == 1:
        return next(iter(sent))[0]
    kinds = {kind for kind, _ in sent}
    return next((each for each in ("write", "drive", "read") if each in kinds), "none")


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
            case ("recalled", _):
                step["hits"] += number
    return dict(step)
