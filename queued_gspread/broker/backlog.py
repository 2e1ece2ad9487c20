"""What a server finds when it takes over, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backlog", "Predecessor"]


@dataclass(frozen=True)
class Backlog:
    """What waits when a server takes over.

    Attributes:
        lanes: How many lanes hold jobs.
        calls: How many jobs they hold.
        begun: How many of them were begun before.

    """

    lanes: int
    calls: int
    begun: int


@dataclass(frozen=True)
class Predecessor:
    """The server that had the lease before.

    Attributes:
        about: The server in words; '' for none, or where it is not known.
        silent: Seconds since its last beat; None if it has ended in good order.

    """

    about: str = ""
    silent: float | None = None
