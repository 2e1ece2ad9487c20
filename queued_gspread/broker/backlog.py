"""The state of the queue at a takeover, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backlog", "Predecessor"]


@dataclass(frozen=True)
class Backlog:
    """What is waiting when a server takes over.

    Attributes:
        lanes: How many lanes hold jobs.
        calls: How many jobs they hold.
        begun: How many of these an earlier server started.

    """

    lanes: int
    calls: int
    begun: int


@dataclass(frozen=True)
class Predecessor:
    """The server that had the lease before.

    Attributes:
        about: Its description; '' for none, or if not known.
        silent: Seconds since its last beat; None if it shut down cleanly.

    """

    about: str = ""
    silent: float | None = None
