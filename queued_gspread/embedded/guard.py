"""The process that keeps a Redis running while it is used, and stops it afterwards.

It is started detached, so that Redis outlives the process that asked for it first, however that
process ends. SIGTERM, SIGINT and SIGHUP shut Redis down in good order.
"""

from __future__ import annotations

import argparse
import math
import os
import select
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .launch import redis_config, restriction, start_redis
from .probe import wait_until
from .state import FileLock, Files

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
ENDING = 10.0  # how long a Redis that is shutting down may hold its files
LONGEST_PAUSE = 1.0


class IdleClock:
    """Measures for how long no client has been connected.

    A connection that came and went between two checks shows in the total number of connections.
    """

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._total = -1
        self._since = math.inf

    def expired(self, others: int, total: int, now: float) -> bool:
        """Record the *others* connected at *now*, and the *total*; return whether to end."""
        if others or total != self._total:
            self._since = now
        self._total = total
        return now - self._since >= self._limit


class Signals:
    """Turns signals into bytes on a pipe, so that one wait covers both signals and time."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        for end in (self._reading, self._writing):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._writing)
        for number in (*ENDINGS, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)

    def end_asked(self, seconds: float) -> bool:
        """Wait for a signal or for *seconds*; return whether a signal asks to end."""
        if not select.select([self._reading], [], [], seconds)[0]:
            return False
        return any(number in ENDINGS for number in os.read(self._reading, 512))


class Client:
    """The guard's own connection, only ever to the Redis of one folder."""

    def __init__(self, socket: Path) -> None:
        # No retries: a command meant for this Redis must not reach its successor.
        self._redis = redis.Redis(
            unix_socket_path=str(socket), protocol=2, max_connections=1, socket_timeout=5.0,
            retry=Retry(NoBackoff(), 0),
        )  # fmt: skip

    def usage(self) -> tuple[int, int] | None:
        """Return how many others are connected and the total so far; None without an answer."""
        try:
            info = self._redis.info()
        except (redis.RedisError, OSError):
            return None
        others = info["connected_clients"] - 1 + info.get("connected_slaves", 0)
        return others, info["total_connections_received"]

    def shutdown(self) -> bool:
        """Let Redis complete its append-only file and exit; return whether it agreed."""
        try:
            self._redis.ping()  # redis-py takes a Redis that is not there for one that shut down
            self._redis.shutdown()
        except (redis.RedisError, OSError):
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


@dataclass
class Guard:
    """Watches one Redis: its own child, or one whose guard was killed (*child* is None)."""

    files: Files
    client: Client
    clock: IdleClock
    signals: Signals
    pause: float
    child: subprocess.Popen[bytes] | None

    def watch(self) -> None:
        """Return when Redis has ended: by itself, on a signal or because it was idle."""
        try:
            while not self._gone():
                if self.signals.end_asked(self.pause):
                    break
                if self._idle() and self._end_if_still_idle():
                    break
        finally:
            self._end()
            self.client.close()

    def _idle(self) -> bool:
        usage = self.client.usage()
        return usage is not None and self.clock.expired(*usage, time.monotonic())

    def _gone(self) -> bool:
        if self.child is not None:
            return self.child.poll() is not None
        lock = FileLock(self.files.data)
        gone = lock.acquire()
        lock.release()
        return gone

    def _end_if_still_idle(self) -> bool:
        """End Redis, unless another process is making sure right now that there is one."""
        gate = FileLock(self.files.gate)
        if not gate.acquire():
            return False
        try:
            if not self._idle():
                return False
            self._end()
        finally:
            gate.release()
        return True

    def _end(self) -> None:
        if self._gone():
            return
        agreed = self.client.shutdown()
        if self.child is None:
            wait_until(self._gone, ENDING)
            return
        if not agreed:
            self.child.terminate()
        self.child.wait()  # without a timeout: writing a large append-only file takes a while


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the guard; return 0 if Redis ended in good order."""
    options = _parse(arguments)
    files = Files(options.directory)
    signals = Signals()
    lock = FileLock(files.guard)
    if not lock.acquire(ENDING):
        print(f"another guard holds {files.guard}", flush=True)  # noqa: T201 - into the log
        return 1
    lock.note(f"{os.getpid()}\n")
    child = None if options.adopt else _start_redis(options, files)
    Guard(
        files=files,
        client=Client(files.socket),
        clock=IdleClock(options.idle),
        signals=signals,
        pause=min(LONGEST_PAUSE, options.idle / 4),
        child=child,
    ).watch()
    return 1 if child is not None and child.returncode else 0


def _start_redis(options: argparse.Namespace, files: Files) -> subprocess.Popen[bytes]:
    data = FileLock(files.data)
    if not data.acquire(ENDING):
        raise SystemExit(f"another Redis uses {files.directory}")
    config = redis_config(options.binary, files.socket, files.directory, persistent=True)
    config += restriction(options.binary)
    child = start_redis(options.binary, config, pass_fds=[data.fileno()])
    data.release()  # from here on only Redis holds it, so it is free as soon as Redis has ended
    return child


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m queued_gspread.embedded", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True)
    parser.add_argument("--idle", type=float, required=True)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--binary", type=Path, help="start this Redis server")
    action.add_argument("--adopt", action="store_true", help="watch the Redis that runs already")
    return parser.parse_args(arguments)
