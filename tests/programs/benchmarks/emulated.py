"""The emulator as a process, and the server and the users of it: what is real but Google."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack

from processes import ServerProcess, environment, start_command

from .peer import Peer

WAYS = ("direct", "queued")
"""How a user's code reaches the emulator: by plain gspread, or through the queue."""

# The valve is at work, and a slot is free for every request.
_PLENTY = 10_000_000
_LIMITS = [
    f"--{whose}{what}-per-minute={_PLENTY}"
    for whose in ("", "project-")
    for what in ("reads", "writes")
]


class Emulated:
    """An emulator, and whoever uses it; all of them end with the context.

    Args:
        place: Where the run takes place.
        latency: Seconds from a request's arrival to its answer.
        quota: Options that limit the requests of an account; none is limited by default.
        lenders: How many more accounts lend the servers their quota.

    """

    def __init__(self, place, latency=0.0, quota=(), lenders=0):
        self._place, self._latency, self._quota = place, latency, quota
        self.namespace = place.namespace()
        self.key_file = place.folder / f"{self.namespace}.json"
        self._lenders = [place.folder / f"{self.namespace}-{n}.json" for n in range(lenders)]
        self._stack = ExitStack()
        self._servers = 0

    def __enter__(self):
        options = ["--latency", self._latency, "--service-account-out", self.key_file, *self._quota]
        lenders = (f"--lender-out={path}" for path in self._lenders)
        self._process = start_command(
            "emulator",
            *options,
            *lenders,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        self._stack.callback(self._end)
        self.url = self._process.stdout.readline().split()[-1]
        self._process.stdout.readline()
        return self

    def __exit__(self, *_):
        self._stack.close()

    def server(self, *options):
        """Start a server for it, as a user would; it may not work yet."""
        self._servers += 1
        log = self._place.folder / f"{self.namespace}-{self._servers}.log"
        queue = ["--redis-url", self._place.redis_url, "--namespace", self.namespace]
        google = ["--api-endpoint", self.url]
        google += [f"--service-account={path}" for path in (self.key_file, *self._lenders)]
        process = ServerProcess(log, *queue, *google, *_LIMITS, *options)
        self._stack.callback(process.end)
        return process

    def user(self, way):
        """Start a user's process that goes one of the ways; it is waited for when it is asked."""
        place = {"redis_url": self._place.redis_url, "namespace": self.namespace}
        google = {"key_file": str(self.key_file), "emulator": self.url}
        user = Peer("user", {"way": way, **place, **google})
        self._stack.callback(user.end)
        return user

    def _end(self):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
