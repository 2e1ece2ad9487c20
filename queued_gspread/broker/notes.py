"""What is written into a call's journal together with the permit for a request, as data.

A journal is a list in Redis with an entry for each request of the call so far, in order:

    =…                 a request that was answered, as ``server.journal`` writes it
    ?                  one whose answer cannot be kept, or which Redis has lost
    >ATTEMPT TIME …    the last one, let go at that time (milliseconds of Redis's clock), and not
                       answered yet
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["NO_UPDATE", "JournalUpdate"]


@dataclass(frozen=True)
class JournalUpdate:
    """What the journal has to hold before a request is sent.

    Attributes:
        position: How many entries it holds already.
        entries: Those that follow.
        attempt: A name for the attempt at the request; '' where it need not be announced.
        intent: What tells of the request, for whoever finds it unanswered.

    """

    position: int = 0
    entries: tuple[bytes, ...] = ()
    attempt: str = ""
    intent: bytes = b""

    def __bool__(self) -> bool:
        """Return whether there is anything to be written."""
        return bool(self.entries or self.attempt)

    @property
    def length(self) -> int:
        """How many entries the journal holds afterwards, the announcement aside."""
        return self.position + len(self.entries)


NO_UPDATE: Final = JournalUpdate()
