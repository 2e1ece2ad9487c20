"""What the emulator has answered, and what really happened to it."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .switchboard import To


@dataclass(frozen=True)
class Served:
    """One request that was answered, or whose connection was reset.

    `time` is of the wall clock; `arrived`, `answered`, `counted` and `applied_at` are of the
    emulator's monotonic clock, all in seconds. The path is free of percent-encoding. A `status`
    of 0 is a reset connection.
    """

    time: float
    method: str
    path: str
    query: list[tuple[str, str]]
    body: Any
    status: int
    arrived: float = 0.0
    """When the request had come in whole."""
    answered: float = 0.0
    """When the answer was sent or the connection reset; of a late one, when it was applied."""
    account: str = ""
    """The account's e-mail address, empty for an API key and where no token was valid."""
    quota: str = ""
    """What it counts as: `read`, `write` or `drive`; empty where nobody was identified."""
    counted: float | None = None
    """When it was counted; None where a quota refused it, or nobody was identified."""
    refused_by: str = ""
    """The quota that refused it: Google's `quota_limit`, or the Drive API's reason."""
    applied: bool = False
    """Whether its method ran, with whatever outcome."""
    applied_at: float | None = None
    """When its method ran."""
    fault: str = ""
    """The name of the fault that it met; `stopped` where the emulator was stopped meanwhile."""


@dataclass(frozen=True)
class Entry:
    """A request, where it was sent to, and its number among all requests answered, from 1."""

    number: int
    to: To
    served: Served


@dataclass
class Tally:
    """How many requests the ledger holds, how many a quota refused, and how many met a fault."""

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
    """The requests answered so far and the number of those under way, for any thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self._changed = threading.Condition()
        self._under_way = 0
        self._api: list[Served] = []
        self._token: list[Served] = []
        self._entries: list[Entry] = []
        self._forgotten = 0
        self._tally = Tally()

    @property
    def api(self) -> list[Served]:
        """A copy of the list of API requests, in the order of their answers."""
        with self._changed:
            return list(self._api)

    @property
    def token(self) -> list[Served]:
        """A copy of the list of token requests, in the order of their answers."""
        with self._changed:
            return list(self._token)

    @property
    def under_way(self) -> int:
        """How many requests have arrived and are not in the ledger yet."""
        with self._changed:
            return self._under_way

    @property
    def tally(self) -> Tally:
        """The counts of what it holds."""
        with self._changed:
            return replace(self._tally)

    @property
    def span(self) -> tuple[int, int]:
        """The numbers before its first entry and of its last one; equal where it holds none."""
        with self._changed:
            return self._forgotten, self._forgotten + len(self._entries)

    def since(self, number: int, limit: int) -> list[Entry]:
        """Return up to `limit` entries whose numbers are above one, in order."""
        with self._changed:
            start = max(number - self._forgotten, 0)
            return self._entries[start : start + limit]

    def clear(self) -> None:
        """Forget all requests that are in it; their numbers are not used again."""
        with self._changed:
            self._api.clear()
            self._token.clear()
            self._forgotten += len(self._entries)
            self._entries.clear()
            self._tally = Tally()

    @contextlib.contextmanager
    def arrival(self) -> Iterator[None]:
        """Count a request as under way meanwhile."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def add(self, served: Served, to: To) -> None:
        """Add a request to the API's list or to the tokens'."""
        with self._changed:
            (self._token if to == "token" else self._api).append(served)
            number = self._forgotten + len(self._entries) + 1
            self._entries.append(Entry(number, to, served))
            self._tally.count(to, served)
            self._changed.notify_all()

    def wait_for(
        self, predicate: Callable[[Served], bool], count: int, timeout: float
    ) -> list[Served]:
        """Return the API requests that fit once there are so many, or raise TimeoutError."""
        found: list[Served] = []

        def enough() -> bool:
            found[:] = filter(predicate, self._api)
            return len(found) >= count

        with self._changed:
            if self._changed.wait_for(enough, timeout):
                return found
        raise TimeoutError(f"After {timeout:g} s, {len(found)} of {count} requests had come.")

    def wait_until_under_way(self, count: int, timeout: float) -> None:
        """Return once so many requests are under way, or raise TimeoutError."""
        with self._changed:
            if self._changed.wait_for(lambda: self._under_way >= count, timeout):
                return
            missing = f"{self._under_way} of {count} requests were under way"
        raise TimeoutError(f"After {timeout:g} s, {missing}.")

    def _change(self, by: int) -> None:
        with self._changed:
            self._under_way += by
            self._changed.notify_all()
