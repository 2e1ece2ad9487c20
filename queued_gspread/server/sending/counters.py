"""How many requests were sent, and for how many calls, by kind."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

__all__ = ["Count", "Counters"]


@dataclass(frozen=True)
class Count:
    """The requests of one kind that were sent.

    Attributes:
        calls: How many calls they were for; a call counts once for each request.
        requests: How many requests were sent; a retry counts as one more.

    """

    calls: int = 0
    requests: int = 0

    @property
    def calls_per_request(self) -> float:
        """How many calls a request was for on average."""
        return self.calls / self.requests if self.requests else 0.0


class Counters:
    """Counts requests and calls. Thread-safe: all lanes of a server share it."""

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()

    def note(self, kind: str, calls: int) -> None:
        """Count a request of a kind, and the calls that it is for."""
        with self._lock:
            self._calls[kind] += calls
            self._requests[kind] += 1

    def snapshot(self) -> dict[str, Count]:
        """Return the counts so far, by kind."""
        with self._lock:
            return {kind: Count(self._calls[kind], n) for kind, n in self._requests.items()}

    def __str__(self) -> str:
        """Return the counts in words, for the log."""
        return ", ".join(
            f"{kind} {count.calls}/{count.requests} ({count.calls_per_request:.1f})"
            for kind, count in sorted(self.snapshot().items())
        )
