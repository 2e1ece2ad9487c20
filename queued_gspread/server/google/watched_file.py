"""A credentials file, read again when it changes, so that keys and consents can be renewed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from queued_gspread.errors import ConfigurationError
from queued_gspread.protocol.identity import identity_of
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from google.auth.credentials import Credentials

__all__ = ["WatchedFile"]

_Stamp = tuple[int, int, int]


class WatchedFile:
    """A credentials file that is watched for changes, and the files that it names.

    Args:
        path: The file.
        read: Reads it.
        named: Returns the files that it names, such as a workload's token.
        taken: Is told that what was read last is in use from now on.

    Attributes:
        account: The account of its credentials; None if they do not say.

    """

    def __init__(
        self,
        path: Path,
        read: Callable[[], Credentials],
        named: Callable[[], Iterable[str]] = tuple,
        taken: Callable[[], None] = lambda: None,
    ) -> None:
        self._path = path
        self._read = read
        self._named = named
        self._taken = taken
        self._seen = self._stamps()
        self.account: str | None = None

    def load(self) -> Credentials:
        """Return the credentials for the first time."""
        before = self._stamps()
        found = self._read()
        self._taken()
        self._note(before)
        self.account = identity_of(found).account
        return found

    def reload(self, *, again: bool = False) -> Credentials | None:
        """Return new credentials if there may be other ones, for the same account, else None.

        Args:
            again: Read the file even if it looks unchanged, since its credentials were refused.

        """
        before = self._stamps()
        is_changed = before != self._seen
        if not (is_changed or again):
            return None
        self._seen = before
        found = self._found(is_changed)
        self._note(before)
        return found

    def _found(self, is_changed: bool) -> Credentials | None:
        try:
            found = self._read()
        except ConfigurationError as error:
            if is_changed:
                LOGGER.warning(
                    "the credentials file has changed or is gone, and the old credentials stay in "
                    "use: %s",
                    error,
                )
            return None
        account = identity_of(found).account
        if account != self.account:
            if is_changed:
                LOGGER.warning(
                    "the credentials file %s is now of another account, %s: %s stays in use. Put "
                    "credentials of the same account there, or restart the server",
                    *(self._path, account or "an unknown one", self.account or "an unknown one"),
                )
            return None
        if is_changed:
            LOGGER.info(
                "the credentials file %s, or one that it names, has changed: it is used from now "
                "on",
                self._path,
            )
        self._taken()
        return found

    def _stamps(self) -> dict[Path, _Stamp | None]:
        return {path: _stamp(path) for path in (self._path, *map(Path, self._named()))}

    def _note(self, before: dict[Path, _Stamp | None]) -> None:
        """Note what was seen before the file was read, and other files that it names now."""
        self._seen = {path: before.get(path, stamp) for path, stamp in self._stamps().items()}


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: no file can have that name
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
