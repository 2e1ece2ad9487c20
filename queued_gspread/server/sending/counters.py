"""How many requests were sent, and for how many calls, by kind."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

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


_NONE: Final = Count()


class Counters:
    """Counts requests and calls. Thread-safe: all lanes of a server share it."""

    def __init__(self) -> None:
        self._counts: dict[str, Count] = {}
        self._lock = threading.Lock()

    def note(self, kind: str, calls: int) -> None:
        """Count a request of a kind, and the calls that it is for."""
        with self._lock:
            count = self._counts.get(kind, _NONE)
            self._counts[kind] = Count(count.calls + calls, count.requests + 1)

    def snapshot(self) -> dict[str, Count]:
        """Return the counts so far, by kind."""
        with self._lock:
            return dict(self._counts)

    def __str__(self) -> str:
        """Return the counts in words, for the log."""
        return ", ".join(
            f"{kind} {count.calls}/{count.requests} ({count.calls_per_request:.1f})"
            for kind, count in sorted(self.snapshot().items())
        )
