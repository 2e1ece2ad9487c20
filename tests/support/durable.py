"""A Redis that forgets nothing."""

from __future__ import annotations

from accounts import OPEN

from queued_gspread.embedded import TemporaryRedis


def new_durable_redis(binary=None):
    """Return a Redis, not started yet, that has on its disk what it has confirmed."""
    options = {**OPEN, "appendfsync": "always"}
    return TemporaryRedis(binary, persistent=True, options=options, restricted=False)
