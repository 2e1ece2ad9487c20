"""Redis as the queue: the only package that knows its keys.

``keys`` names them, ``lua/`` holds what has to be atomic, ``callers`` is the clients' side of
the queue, ``servers`` the servers', and ``slots`` says what the two halves of the valve tell
each other of the quota.
"""

from .callers import Callers
from .servers import STOP, Beat, Entry, Servers, StaleEpochError
from .slots import ALL, KINDS, NO_SLOT, Permit, Setback, Slot

__all__ = [
    "ALL",
    "KINDS",
    "NO_SLOT",
    "STOP",
    "Beat",
    "Callers",
    "Entry",
    "Permit",
    "Servers",
    "Setback",
    "Slot",
    "StaleEpochError",
]
