"""A Redis that loses nothing."""

from __future__ import annotations

import os

from accounts import OPEN

from queued_gspread.embedded import TemporaryRedis


def new_durable_redis(binary=None, appendfsync="always"):
    """Return a Redis, not started yet, that has everything on disk before it confirms it."""
    options = {**OPEN, "appendfsync": appendfsync}
    return TemporaryRedis(binary, persistent=True, options=options, restricted=False)


class Disk:
    """The part of a Redis's append-only file that survives a power cut: what was synced.

    With ``appendfsync always`` that is everything that Redis has confirmed, since it syncs the file
    before it answers: after an answer, the file has at least what was synced.

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
        """Note that the file's current content is on the disk."""
        self._size = self._file.stat().st_size

    def cut_power(self):
        """Kill Redis, and start it again with only what was on the disk."""
        self._server.kill()
        os.truncate(self._file, self._size)
        self._server.start()
