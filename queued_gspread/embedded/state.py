"""The files of a Redis that was started for the user, and who may use them."""

from __future__ import annotations

import os
import socket
from importlib.util import find_spec
from typing import TYPE_CHECKING

from queued_gspread.errors import ConfigurationError
from queued_gspread.settings import LONGEST_SOCKET_PATH

from .probe import wait_until

if TYPE_CHECKING:
    from pathlib import Path

PRIVATE = 0o700


def check_system() -> None:
    """Refuse a system on which no Redis can be started, such as Windows.

    Raises:
        ConfigurationError: This is such a system; the text says what to do.

    """
    if find_spec("fcntl") is None or not hasattr(socket, "AF_UNIX"):
        raise ConfigurationError(
            "Redis cannot be started on this system: run one in WSL, in a container or on another "
            "machine, and name it with --redis-url or QUEUED_GSPREAD_REDIS_URL"
        )


def make_private(directory: Path) -> None:
    """Make *directory* and its missing parents, for the user alone.

    An existing one becomes private to the user; another account's is refused.
    """
    if not directory.is_absolute():
        raise ConfigurationError(
            f"no place for Redis's files: {directory} is not absolute; set HOME or XDG_STATE_HOME"
        )
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=PRIVATE, exist_ok=True)
        # Only root could change the mode of another account's folder.
        owner = directory.stat().st_uid
        if owner == os.geteuid():
            directory.chmod(PRIVATE)
    except OSError as error:
        raise ConfigurationError(
            f"no place for Redis's files: {error}; set XDG_STATE_HOME to a folder that is writable"
        ) from error
    if owner != os.geteuid():
        raise ConfigurationError(
            f"no place for Redis's files: {directory} belongs to another account; "
            "set HOME or XDG_STATE_HOME to a folder of your own"
        )


class FileLock:
    """An exclusive flock, which ends with the last process that holds it, so it is never stale.

    A child that gets :meth:`fileno` keeps the lock for as long as it lives.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, seconds: float = 0.0) -> bool:
        """Take the lock and return True; return False if others kept it for *seconds*."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if wait_until(lambda: _locked(descriptor), seconds):
            self._descriptor = descriptor
            return True
        os.close(descriptor)
        return False

    def release(self) -> None:
        """Give up this process's share of the lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def fileno(self) -> int:
        """Return the descriptor, for passing it to a child."""
        if self._descriptor is None:
            raise ValueError(f"the lock {self._path} is not held")
        return self._descriptor

    def note(self, text: str) -> None:
        """Write *text* into the file, for a human to read; nothing depends on it."""
        os.ftruncate(self.fileno(), 0)
        os.pwrite(self.fileno(), text.encode(), 0)


def is_held(path: Path) -> bool:
    """Return whether any process holds the lock on *path*."""
    if not path.exists():
        return False
    lock = FileLock(path)
    if not lock.acquire():
        return True
    lock.release()
    return False


def _locked(descriptor: int) -> bool:
    import fcntl  # noqa: PLC0415 - not on Windows, where check_system() comes before

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Files:
    """The files in a data directory.

    ``gate`` is held while a Redis is looked for and started, and while an idle one is ended, so
    that the two never overlap. ``guard`` is held by the guard, ``data`` by Redis itself, which
    inherits it: if only ``data`` is held, the guard was killed.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.gate = directory / "gate.lock"
        self.guard = directory / "guard.lock"
        self.data = directory / "data.lock"
        self.log = directory / "redis.log"
        self.socket = directory / "redis.sock"

    def check_socket(self) -> None:
        """Refuse a folder in which no socket can be created."""
        length = len(os.fsencode(self.socket))
        if length > LONGEST_SOCKET_PATH:
            raise ConfigurationError(
                f"{self.socket} cannot be made: a socket's path has {LONGEST_SOCKET_PATH} bytes at "
                f"the most, and this one has {length}; set XDG_STATE_HOME, for the server and its "
                "clients, to a folder with a shorter name"
            )

    def unguarded(self) -> bool:
        """Return whether this directory's Redis runs without its guard."""
        return is_held(self.data) and not is_held(self.guard)
