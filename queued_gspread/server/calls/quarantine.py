"""Jobs that two servers have died with are made one at a time.

When a server dies, every job that it had counts as one that it may have died of, and most are
innocent. Alone among its like, the one that is not dies with the third server; the others are not
handed out meanwhile, and so are never taken for it.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from queued_gspread.broker import Entry

__all__ = ["MOST_DEATHS", "Quarantine", "is_suspect"]

MOST_DEATHS: Final = 3
"""A job that so many servers have died with is not made any more."""

_SUSPICIOUS: Final = 2  # as in broker/lua/common.lua


def is_suspect(entry: Entry) -> bool:
    """Tell whether a job is made alone among its like."""
    return _SUSPICIOUS <= entry.deaths < MOST_DEATHS


class Quarantine:
    """Lets one suspect at a time pass; all lanes of a server may ask at once."""

    def __init__(self) -> None:
        self._inside: Entry | None = None
        self._lock = threading.Lock()

    def enter(self, entry: Entry) -> bool:
        """Tell whether a suspect's turn has come; until it leaves, no other's has."""
        with self._lock:
            if self._inside is None:
                self._inside = entry
            return self._inside is entry

    def leave(self, entry: Entry) -> None:
        """Say that a job is answered, or left."""
        with self._lock:
            if self._inside is entry:
                self._inside = None
