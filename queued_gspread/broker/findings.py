"""What a server finds with a beat, and when it takes over, as data."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Backlog", "Beat", "Predecessor"]


@dataclass(frozen=True)
class Beat:
    """What a beat found: ``kept`` or ``taken`` the lease, or that another server has ``held`` it.

    Attributes:
        state: One of the three words.
        epoch: The epoch of this server's lease; '' where another holds it.
        other: The other server, in words; '' for this one, as Redis knew it before a restart.
        left: Seconds until the other one's lease runs out.

    """

    state: str
    epoch: str = ""
    other: str = ""
    left: float = 0.0


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
