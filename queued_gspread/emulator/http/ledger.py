"""The ledger: requests that the emulator has answered, and what really happened to each."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .fault_rules import To

MOST = 100_000
MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Served:
    """One request that was answered, or whose connection was reset.

    `time` is by the wall clock; `arrived`, `answered`, `counted` and `applied_at` are by the
    emulator's monotonic clock, all in seconds. The path has no percent-encoding. A `status` of 0 is
    a reset connection.
    """

    time: float
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    """JSON as a value, anything else as bytes; None for no body and for one that was dropped."""
    status: int
    arrived: float = 0.0
    """When the whole request had arrived."""
    answered: float = 0.0
    """When the answer was sent or the connection reset; for a late reset, when it was applied."""
    account: str = ""
    """The account's e-mail address; empty for an API key and without a valid token."""
    project: int = 0
    """The number of the project that it counts for; 0 if no account was identified."""
    quota: str = ""
    """What it counts as, `read`, `write` or `drive`; empty if no account was identified."""
    counted: float | None = None
    """When it was counted; None if a quota refused it or no account was identified."""
    refused_by: str = ""
    """The quota that refused it, by Google's `quota_limit` or the Drive API's reason."""
    applied: bool = False
    """Whether its method ran, even if it failed."""
    applied_at: float | None = None
    """When its method ran."""
    fault: str = ""
    """The name of the fault that it met; `stopped` if the emulator was stopped meanwhile."""
    not_computed: tuple[str, ...] = ()
    """Formulas it wrote or read that the emulator cannot compute, as ``Sheet1!A1: SPARKLINE``."""


@dataclass(frozen=True)
class Entry:
    """A request, its destination, and its number among all answered requests, from 1."""

    number: int
    to: To
    served: Served


@dataclass
class Tally:
    """How many requests were answered, how many a quota refused, and how many met a fault."""

    requests: int = 0
    token_requests: int = 0
    refused: int = 0
    faults: int = 0

    def count(self, to: To, served: Served) -> None:
        """Count one more."""
        self.requests += to == "api"
        self.token_requests += to == "token"
        self.refused += served.refused_by != ""
        self.faults += served.fault not in {"", "stopped"}


class Ledger:
    """The requests answered so far, and the number of unanswered ones. Thread-safe.

    It holds the last `most` requests. Of their bodies, it keeps the last `most_bytes` as they were
    sent: an earlier body is None.
    """

    def __init__(self, most: int = MOST, most_bytes: int = MOST_BYTES) -> None:
        """Begin empty."""
        self._changed = threading.Condition()
        self._most, self._most_bytes = most, most_bytes
        self._under_way = 0
        self._entries: deque[Entry] = deque()
        # The entry's number and the bytes of each body that is kept, and the sum of these.
        self._bodies: deque[tuple[int, int]] = deque()
        self._bytes = 0
        self._forgotten = 0
        self._tally = Tally()

    @property
    def api(self) -> list[Served]:
        """The API requests, in the order of their answers."""
        with self._changed:
            return self._sent("api")

    @property
    def token(self) -> list[Served]:
        """The token requests, in the order of their answers."""
        with self._changed:
            return self._sent("token")

    @property
    def under_way(self) -> int:
        """How many requests have arrived and are not in the ledger yet."""
        with self._changed:
            return self._under_way

    @property
    def tally(self) -> Tally:
        """The counts of all requests since the ledger was cleared."""
        with self._changed:
            return replace(self._tally)

    @property
    def span(self) -> tuple[int, int]:
        """The numbers before its first entry and of its last one; equal if it is empty."""
        with self._changed:
            return self._forgotten, self._forgotten + len(self._entries)

    def since(self, number: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries that follow a number, in order."""
        with self._changed:
            start = max(number - self._forgotten, 0)
            return list(islice(self._entries, start, start + limit))

    def clear(self) -> None:
        """Forget all requests in it; their numbers are not used again."""
        with self._changed:
            self._forgotten += len(self._entries)
            self._entries.clear()
            self._bodies.clear()
            self._bytes = 0
            self._tally = Tally()

    @contextlib.contextmanager
    def arrival(self) -> Iterator[None]:
        """Count a request as under way meanwhile."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def add(self, served: Served, to: To, size: int = 0) -> None:
        """Add a request with the size of its body, and forget what exceeds the limits."""
        with self._changed:
            number = self._forgotten + len(self._entries) + 1
            self._entries.append(Entry(number, to, served))
            if size:
                self._bodies.append((number, size))
                self._bytes += size
            self._forget()
            self._tally.count(to, served)
            self._changed.notify_all()

    def _forget(self) -> None:
        while len(self._entries) > self._most:
            self._entries.popleft()
            self._forgotten += 1
        while self._bytes > self._most_bytes:
            number, size = self._bodies.popleft()
            self._bytes -= size
            place = number - self._forgotten - 1
            if place >= 0:
                entry = self._entries[place]
                self._entries[place] = replace(entry, served=replace(entry.served, body=None))

    def _sent(self, to: To) -> list[Served]:
        return [entry.served for entry in self._entries if entry.to == to]

    def wait_for(
        self, predicate: Callable[[Served], bool], count: int, timeout: float
    ) -> list[Served]:
        """Return the matching API requests once there are enough, or raise TimeoutError."""
        found: list[Served] = []

        def enough() -> bool:
            found[:] = filter(predicate, self._sent("api"))
            return len(found) >= count

        with self._changed:
            if self._changed.wait_for(enough, timeout):
                return found
        raise TimeoutError(f"After {timeout:g} s, {len(found)} of {count} requests had come.")

    def wait_until_under_way(self, count: int, timeout: float) -> None:
        """Return once enough requests are unanswered at a time, or raise TimeoutError."""
        with self._changed:
            if self._changed.wait_for(lambda: self._under_way >= count, timeout):
                return
            missing = f"{self._under_way} of {count} requests were under way"
        raise TimeoutError(f"After {timeout:g} s, {missing}.")

    def _change(self, by: int) -> None:
        with self._changed:
            self._under_way += by
            self._changed.notify_all()
