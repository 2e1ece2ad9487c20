"""Run jobs that two servers have died with one at a time.

When a server dies, every job that it had is suspected of having killed it, and most are innocent.
Suspects run one at a time, so the guilty one is alone when the third server dies. The others are
not handed out meanwhile, and so never get blamed for it.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from queued_gspread.server.pacing.ticket_queue import FREE, Ticket

if TYPE_CHECKING:
    from collections.abc import Generator

    from queued_gspread.broker import Entry, Permit

__all__ = ["MOST_DEATHS", "Quarantine", "is_suspect"]

MOST_DEATHS: Final = 3
"""A job that so many servers have died with is not run again."""

_LOOK: Final = 0.1
_SUSPICIOUS: Final = 2  # as in broker/lua/common.lua


def is_suspect(entry: Entry) -> bool:
    """Return whether no other suspect may run beside this job."""
    return _SUSPICIOUS <= entry.deaths < MOST_DEATHS


class Quarantine:
    """Lets one suspect at a time pass. Safe to share between all lanes of a server."""

    def __init__(self) -> None:
        self._inside: Entry | None = None
        self._lock = threading.Lock()

    def enter(self, entry: Entry) -> bool:
        """Return whether it is a suspect's turn; no other gets one until it leaves."""
        with self._lock:
            if self._inside is None:
                self._inside = entry
            return self._inside is entry

    def wait(self, entry: Entry) -> Generator[Ticket, Permit, bool]:
        """Wait until a suspect may enter; return False if that is left to the next server."""
        while not self.enter(entry):
            permit = yield Ticket(FREE, not_before=time.monotonic() + _LOOK)
            if permit.word != "go":
                return False
        return True

    def leave(self, entry: Entry) -> None:
        """Let the next suspect in: this job was answered, or left in the queue."""
        with self._lock:
            if self._inside is entry:
                self._inside = None
