"""The requests that were sent for one call, and how many calls shared each of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Tally"]


class Tally:
    """Counts the requests of a call that went out to Google, every attempt included.

    A merged request is in the tally of each of its calls. It counts as one divided by the number of
    these calls, so that the sum over all calls is the number of requests.

    It also measures how long the call waits: all the time until the end of its last attempt, or of
    its last wait for one, minus the attempts. Times are this machine's monotonic clock.

    Attributes:
        recalled: How many more requests were answered from memory, so that none was sent.
        missed: How many requests were sent that memory might have answered.

    """

    __slots__ = ("_attempts", "_counts", "_until", "missed", "recalled")

    def __init__(self) -> None:
        self._counts: dict[tuple[str, int], int] = {}
        self._attempts = 0.0
        self._until: float | None = None
        self.recalled = self.missed = 0

    def begin(self) -> None:
        """Record that a request is about to be sent."""
        self._until = time.monotonic()

    def end(self, kind: str = "", calls: int = 1) -> None:
        """Record that the attempt is over, with its kind and number of calls if it went out."""
        if kind:
            self.note(kind, calls)
        now = time.monotonic()
        self._attempts += now - (now if self._until is None else self._until)
        self._until = now

    def give_up(self) -> None:
        """Record that the call has waited for an attempt that was not made."""
        self._until = time.monotonic()

    def recall(self) -> None:
        """Record that a request was answered from memory, which ends the wait for it."""
        self.recalled += 1
        self._until = time.monotonic()

    def waited(self, since: float, now: float) -> float:
        """Return for how many seconds a call has waited that was enqueued at ``since``."""
        return (now if self._until is None else self._until) - since - self._attempts

    def note(self, kind: str, calls: int) -> None:
        """Record that a request of a kind of the quota went out for so many calls."""
        key = kind, calls
        self._counts[key] = self._counts.get(key, 0) + 1

    @property
    def counts(self) -> Mapping[tuple[str, int], int]:
        """How many requests went out, by their kind and by the calls that each was for."""
        return self._counts

    @property
    def requests(self) -> int:
        """How many requests went out, including those shared with other calls."""
        return sum(self._counts.values())

    @property
    def share(self) -> float:
        """The call's own part of these requests."""
        return sum([requests / calls for (_, calls), requests in self._counts.items()])

    def as_fields(self) -> list[dict[str, Any]]:
        """Return the tally for a JSON log."""
        return [
            {"kind": kind, "requests": requests, "calls": calls}
            for (kind, calls), requests in self._counts.items()
        ]

    def __str__(self) -> str:
        """Return the tally in words, for a text log."""
        sent = ", ".join(_words(*key, number) for key, number in self._counts.items()) or "0"
        return f"{sent}, from memory: {self.recalled}" if self.recalled else sent


def _words(kind: str, calls: int, requests: int) -> str:
    noun = "Drive request" if kind == "drive" else kind
    plural = "s" if requests > 1 else ""
    return f"{requests} {noun}{plural}" + (f" of {calls} calls" if calls > 1 else "")
