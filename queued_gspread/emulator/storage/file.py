"""The state file: used by one emulator at a time, and never half-written."""

from __future__ import annotations

import contextlib
import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queued_gspread.emulator.accounts.owner_only import open_owner_only
from queued_gspread.emulator.wire.payload import parsed_json

try:
    import fcntl
except ImportError:  # Windows
    _CAN_LOCK = False
else:
    _CAN_LOCK = True

if TYPE_CHECKING:
    from collections.abc import Iterator

# The levels down to the rows of a grid: files, a file, its book, the sheets, a sheet, its grid.
_DEPTH = 8


class StateError(Exception):
    """A state file cannot be used; the text names the file, the problem and the remedy."""


class UnsavedError(StateError):
    """The state could not be saved when the emulator was stopped."""


class StateFile:
    """A file with a JSON value, in an existing folder, and the lock file beside it."""

    def __init__(self, path: str | Path) -> None:
        """Take the path; a link is followed, and stays one."""
        self.path = Path(path).resolve()
        self._beside = self.path.with_name(self.path.name + ".tmp")
        self._lock_path = self.path.with_name(self.path.name + ".lock")
        self._lock: int | None = None
        self._seen: tuple[int, ...] | None = None

    @property
    def is_locked(self) -> bool:
        """Whether this emulator has locked the file."""
        return self._lock is not None

    def lock(self) -> None:
        """Lock out other emulators; a second call does nothing.

        Raises StateError if another emulator has locked it, or if no file can be created there.
        """
        if not _CAN_LOCK:
            raise StateError(
                f"{self.path} cannot be used: this system has no locks for files; "
                "keep the emulator's state in memory (leave --state and state= out)"
            )
        while self._lock is None:
            lock = self._open_lock()
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(lock)
                raise StateError(
                    f"{self.path} is in use by another emulator: stop that one, or name another "
                    "file"
                ) from error
            if self._is_there(lock):
                self._lock = lock
            else:
                os.close(lock)

    def _open_lock(self) -> int:
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            return os.open(self._lock_path, flags, 0o600)
        except OSError as error:
            raise StateError(
                f"{self.path} cannot be used ({error.strerror}: {self._lock_path.parent}): "
                "name a file in a folder that exists and is writable"
            ) from error

    def _is_there(self, lock: int) -> bool:
        """Whether an open lock file was not removed meanwhile: others would lock a new one."""
        try:
            return os.path.samestat(os.fstat(lock), self._lock_path.stat())
        except FileNotFoundError:
            return False

    def leave(self) -> None:
        """Unlock the file and remove the lock file, which must be held."""
        with contextlib.suppress(OSError):
            self._lock_path.unlink()
        self.unlock()

    def unlock(self) -> None:
        """Unlock the file; a second call does nothing."""
        if self._lock is not None:
            # Closing alone would leave it locked if a child process has inherited it.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def check_unchanged(self) -> None:
        """Raise StateError if another program has written the file since it was read or saved."""
        if self._stamp() != self._seen:
            raise StateError(
                f"{self.path} was written by another program since this emulator read or saved "
                "it: make a new emulator, which reads it again"
            )

    def read(self) -> Any | None:
        """Return the file's value; None if there is no file.

        Raises OSError if it cannot be read, ValueError if it is not JSON.
        """
        self._seen = self._stamp()
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        try:
            return parsed_json(content, _finite)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error

    def save(self, content: Any) -> None:
        """Replace the file by a JSON value; raise OSError and leave it as it is if that fails."""
        with open_owner_only(self._beside) as file:
            file.writelines(pieces(content))
            file.flush()
            os.fsync(file.fileno())
        self._beside.replace(self.path)
        self._seen = self._stamp()
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _stamp(self) -> tuple[int, ...] | None:
        with contextlib.suppress(FileNotFoundError):
            found = self.path.stat()
            return found.st_ino, found.st_size, found.st_mtime_ns
        return None


def _finite(number: str) -> float:
    """Return a number that an answer can hold: Python would turn `1e999` into infinity."""
    if math.isinf(found := float(number)):
        raise ValueError(f"{number} is too large")
    return found


def pieces(value: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield JSON in pieces, so that other threads get their turn; one line for every row."""
    if not depth or not value or not isinstance(value, (dict, list)):
        # Only ASCII: a string may have half of a surrogate pair, which UTF-8 cannot encode.
        yield json.dumps(value, separators=(",", ":"))
    elif isinstance(value, dict):
        mark = "{"
        for name, part in value.items():
            yield f"{mark}{json.dumps(name)}:"
            yield from pieces(part, depth - 1)
            mark = ","
        yield "}"
    else:
        mark = "[\n"
        for item in value:
            yield mark
            yield from pieces(item, depth - 1)
            mark = ",\n"
        yield "\n]"
