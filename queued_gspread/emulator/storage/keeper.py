"""Save an emulator's state: soon after a change, and when it is stopped."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING

from .file import StateError, StateFile, UnsavedError
from .state import NewerError, from_json, put_back, taken, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from queued_gspread.emulator.accounts.changes import Changes
    from queued_gspread.emulator.accounts.project import Project
    from queued_gspread.emulator.book.store import Store

# The seconds from a change to its save, and the share of its time that saving may take.
_DELAY = 0.5
_SHARE = 0.1
_log = logging.getLogger(__name__)


class Keeper:
    """Loads a store and its project from a file, and keeps the file up to date.

    Between `held()` and `stop()` no other emulator can use the file.
    """

    def __init__(self, path: str | Path, store: Store, project: Project, changes: Changes) -> None:
        """Read the file if there is one; raise StateError if it cannot be used."""
        self._store = store
        self._project = project
        self._changes = changes
        self._file = StateFile(path)
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()
        self._failing = False
        self._saved = -1
        self._file.lock()
        try:
            self._load()
        except BaseException:
            self._file.leave()
            raise
        self._file.unlock()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep the file locked from here on, if the block succeeds.

        Raises StateError if another emulator uses it, or has used it since it was read.
        """
        if self._thread is not None:
            yield
            return
        was_locked = self._file.is_locked
        self._file.lock()
        try:
            self._file.check_unchanged()
            yield
        except BaseException:
            if not was_locked:
                self._file.unlock()
            raise
        self._ending.clear()
        self._thread = threading.Thread(target=self._run, name="emulator-keeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Save unsaved changes and unlock the file.

        Raises UnsavedError if they cannot be saved; the next call tries again. A call after one
        that succeeded does nothing.
        """
        if self._thread is not None:
            self._ending.set()
            self._changes.wake()
            self._thread.join()
            self._thread = None
        if not self._file.is_locked:
            return
        if self._is_unsaved():
            try:
                self._save()
            except OSError as error:
                raise UnsavedError(
                    f"The spreadsheets could not be saved to {self._file.path} ({error.strerror}). "
                    "Changes since the last save are lost when this process ends: make sure that "
                    "the folder exists, is writable and has room"
                ) from error
        self._file.unlock()

    def _load(self) -> None:
        path = self._file.path
        try:
            content = self._file.read()
            if content is None:
                return
            kept = from_json(content)
        except OSError as error:
            raise StateError(
                f"{path} cannot be read ({error.strerror}): name another file"
            ) from error
        except NewerError as error:
            raise StateError(
                f"{path} was written by a newer version ({error}): upgrade queued-gspread, or name "
                "another file"
            ) from error
        except ValueError as error:
            raise StateError(
                f"{path} is not a state of the emulator, or is damaged ({error}): name another "
                "file, or move this one away to start empty"
            ) from error
        put_back(kept, self._store, self._project)
        self._saved = self._changes.count

    def _is_unsaved(self) -> bool:
        return self._saved != self._changes.count

    def _run(self) -> None:
        pause = _DELAY
        while True:
            self._changes.wait_until(lambda: self._ending.is_set() or self._is_unsaved())
            if self._ending.wait(pause):
                return
            began = time.monotonic()
            self._try_to_save()
            pause = pause_after(time.monotonic() - began)

    def _try_to_save(self) -> None:
        try:
            self._save()
        except Exception as error:  # noqa: BLE001  - whatever it is, the emulator goes on
            if not self._failing:
                _log.warning(
                    "What is stored cannot be saved to %s (%s): let there be room, and a folder "
                    "that can be written to. It is tried again until then.",
                    self._file.path,
                    error,
                )
            self._failing = True
        else:
            self._failing = False

    def _save(self) -> None:
        with self._changes.still() as count:
            kept = taken(self._store, self._project)
        self._file.save(to_json(kept))
        self._saved = count


def pause_after(seconds: float) -> float:
    """Return for how many seconds to delay the next save, after one that took so long."""
    return max(_DELAY, seconds * (1 / _SHARE - 1))
