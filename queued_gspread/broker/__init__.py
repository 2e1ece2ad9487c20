"""Redis as the queue: the only package that knows its keys.

``producer`` is the callers' side: it enqueues jobs, waits for replies and withdraws. ``consumer``
is the server's: it holds the lease and works the lanes off; ``dispatch`` acquires and releases the
quota's slots, and ``fencing`` runs every script of both under the server's epoch. ``jobs`` and
``permits`` are what they hand on, as plain data. ``keys`` names what is kept in Redis, and ``lua/``
has what must be atomic. ``connection/`` finds the master and talks to it; ``waiting/`` is what a
caller that waits is told.
"""

from queued_gspread.broker.waiting.holdups import (
    AGAIN,
    INTERVAL,
    MEMORY,
    QUOTA,
    SENT,
    SHARED,
    Holdup,
    Holdups,
)
from queued_gspread.broker.waiting.notices import Notice

from .backlog import Backlog, Predecessor
from .beat import ANY, Beat, Candidate
from .consumer import Consumer
from .fencing import StaleEpochError
from .formats import Other, shown_others
from .jobs import Entry, Ready, Stop
from .keys import FORMAT
from .permits import (
    ALL,
    KINDS,
    NO_SLOT,
    NO_UPDATE,
    PAUSE,
    AcquireArgs,
    AnsweredSlot,
    JournalUpdate,
    Permit,
    QuotaState,
    ReleaseArgs,
    Slot,
)
from .producer import Producer
from .withdrawal import tell_answered

__all__ = [
    "AGAIN",
    "ALL",
    "ANY",
    "FORMAT",
    "INTERVAL",
    "KINDS",
    "MEMORY",
    "NO_SLOT",
    "NO_UPDATE",
    "PAUSE",
    "QUOTA",
    "SENT",
    "SHARED",
    "AcquireArgs",
    "AnsweredSlot",
    "Backlog",
    "Beat",
    "Candidate",
    "Consumer",
    "Entry",
    "Holdup",
    "Holdups",
    "JournalUpdate",
    "Notice",
    "Other",
    "Permit",
    "Predecessor",
    "Producer",
    "QuotaState",
    "Ready",
    "ReleaseArgs",
    "Slot",
    "StaleEpochError",
    "Stop",
    "shown_others",
    "tell_answered",
]
