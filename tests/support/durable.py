"""A Redis that forgets nothing."""

from __future__ import annotations

import os

from accounts import OPEN

from queued_gspread.embedded import TemporaryRedis


def new_durable_redis(binary=None, appendfsync="always"):
    """Return a Redis, not started yet, that has on its disk what it has confirmed."""
    options = {**OPEN, "appendfsync": appendfsync}
    return TemporaryRedis(binary, persistent=True, options=options, restricted=False)


class Disk:
    """What a power cut leaves of a Redis's append-only file: what was there when it was synced.

    With ``appendfsync always`` that is all that Redis has confirmed, since it syncs the file
    before it answers: so whoever has an answer finds no less in the file than what is synced.

    Args:
        server: The Redis.

    """

    def __init__(self, server):
        self._server = server
        self.sync()

    @property
    def _file(self):
        (file,) = self._server.directory.rglob("*.aof")
        return file

    def sync(self):
        """Note that all is on the disk that is in the file now."""
        self._size = self._file.stat().st_size

    def cut_power(self):
        """Kill Redis, and start it again without what was not on the disk."""
        self._server.kill()
        os.truncate(self._file, self._size)
        self._server.start()
