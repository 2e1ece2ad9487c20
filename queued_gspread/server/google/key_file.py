"""The service account's key file, reloaded when it changes, so that keys can be rotated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queued_gspread.errors import ConfigurationError
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from google.oauth2.service_account import Credentials

__all__ = ["KeyFile"]

_Stamp = tuple[int, int, int]


class KeyFile:
    """A key file that is watched for changes.

    Args:
        path: The file.
        read: Reads it.

    Attributes:
        account: The account whose key it holds; None if unknown.

    """

    def __init__(self, path: Path, read: Callable[[Path], Credentials]) -> None:
        self._path = path
        self._read = read
        self._seen = self._stamp()
        self.account: str | None = None

    def reload(self) -> Credentials | None:
        """Return new credentials if the file has changed and has a key of the same account."""
        stamp = self._stamp()
        if stamp == self._seen:
            return None
        self._seen = stamp
        try:
            found = self._read(self._path)
        except ConfigurationError as error:
            LOGGER.warning(
                "the key file has changed or is gone, and the old key stays in use: %s", error
            )
            return None
        account = found.service_account_email
        if self.account not in (None, account):
            LOGGER.warning(
                "the key file %s is now of another account, %s: %s stays in use. Put a key of the "
                "same account there, or restart the server",
                self._path,
                account,
                self.account,
            )
            return None
        LOGGER.info("the key file %s has changed: its key is used from now on", self._path)
        return found

    def _stamp(self) -> _Stamp | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino
