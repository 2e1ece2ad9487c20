"""Redis as the queue: the only package that knows its keys.

``keys`` names them, ``lua/`` holds what has to be atomic, ``callers`` is the clients' side of
the queue, ``servers`` the servers': its ``ledger`` knows of requests, and what an ``epoch`` runs
once it has ended changes nothing. ``entry`` is a job in its lane, ``slots`` says what the two
halves of the valve tell each other of the quota, ``shares`` what they tell of the jobs that have
a share in a request, and ``notes`` what is written into a call's journal. ``master`` asks a
``majority`` of Sentinels, or of a Cluster's masters, which Redis to work with. ``formats`` has what
is told of another format of the queue than this one, ``life`` what a caller sees, and ``beat`` what
a server says and hears with each beat.
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
from .consumer import Servers
from .fencing import StaleEpochError
from .formats import Other, shown_others
from .jobs import Entry
from .keys import FORMAT
from .notes import NO_NOTE, Note
from .permits import ALL, KINDS, NO_SLOT, PAUSE, Due, Permit, Setback, Slot
from .producer import Callers
from .ready import Ready, Stop
from .shares import Settled, Share
from .withdrawal import tell_answered

__all__ = [
    "AGAIN",
    "ALL",
    "ANY",
    "FORMAT",
    "INTERVAL",
    "KINDS",
    "MEMORY",
    "NO_NOTE",
    "NO_SLOT",
    "PAUSE",
    "QUOTA",
    "SENT",
    "SHARED",
    "Backlog",
    "Beat",
    "Callers",
    "Candidate",
    "Due",
    "Entry",
    "Holdup",
    "Holdups",
    "Note",
    "Notice",
    "Other",
    "Permit",
    "Predecessor",
    "Ready",
    "Servers",
    "Setback",
    "Settled",
    "Share",
    "Slot",
    "StaleEpochError",
    "Stop",
    "shown_others",
    "tell_answered",
]
