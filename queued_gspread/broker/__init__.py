"""Redis as the queue: the only package that knows its keys.

``keys`` names them, ``lua/`` holds what has to be atomic, ``callers`` is the clients' side of
the queue and ``servers`` the servers'.
"""

from .callers import Callers
from .servers import STOP, Beat, Entry, Servers, StaleEpochError

__all__ = ["STOP", "Beat", "Callers", "Entry", "Servers", "StaleEpochError"]
