"""Where a Redis that was started for the user keeps its files, and who may use them."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from queued_gspread.embedded.probe import wait_until
from queued_gspread.errors import ConfigurationError

PRIVATE = 0o700


def state_directory() -> Path:
    """Return the folder for this package's state; it need not exist yet."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() raises where there is none
    if sys.platform == "darwin":
        base = home / "Library" / "Application Support"
    else:
        base = home / ".local" / "state"
    configured = Path(os.environ.get("XDG_STATE_HOME", ""))
    # The XDG specification: a relative path is invalid and has to be ignored.
    return (configured if configured.is_absolute() else base) / "queued-gspread"


def data_directory(port: int, state: Path | None = None) -> Path:
    """Return the folder of the Redis on *port*, so that Redises on other ports do not mix."""
    return (state or state_directory()) / "redis" / str(port)


def make_private(directory: Path) -> None:
    """Make *directory* and what is missing above it, for the user alone."""
    if not directory.is_absolute():
        raise ConfigurationError(
            f"no place for Redis's files: {directory} is not absolute; set HOME or XDG_STATE_HOME"
        )
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir(mode=PRIVATE, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"no place for Redis's files: {error}; set XDG_STATE_HOME to a folder that is writable"
        ) from error


class FileLock:
    """An exclusive flock, which ends with the last process that has it: none is ever stale.

    A child that is given :meth:`fileno` keeps the lock for as long as it lives.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self, seconds: float = 0.0) -> bool:
        """Take the lock and return True, or False where others kept it for *seconds*."""
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
        """Return the descriptor, to be passed to a child."""
        if self._descriptor is None:
            raise ValueError(f"the lock {self._path} is not held")
        return self._descriptor

    def note(self, text: str) -> None:
        """Write *text* into the file: for a human who looks, nothing depends on it."""
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
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class Files:
    """The files in a data directory.

    ``gate`` is held while a Redis is looked for and started, and while an idle one is ended, so
    that neither happens in the midst of the other. ``guard`` is held by the guard, ``data`` by
    Redis itself, which inherits it: where only ``data`` is held, the guard was killed.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.gate = directory / "gate.lock"
        self.guard = directory / "guard.lock"
        self.data = directory / "data.lock"
        self.log = directory / "redis.log"

    def unguarded(self) -> bool:
        """Return whether this directory's Redis runs and its guard does not."""
        return is_held(self.data) and not is_held(self.guard)
