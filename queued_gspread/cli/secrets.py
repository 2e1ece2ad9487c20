"""Secrets that a server is handed: taken out of what other processes inherit, or can look at."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from queued_gspread._variables import ENV_PREFIX
from queued_gspread.errors import ConfigurationError
from queued_gspread.server.google.sources import CREDENTIALS_JSON, CredentialsText

if TYPE_CHECKING:
    import argparse

__all__ = ["hide", "taken"]

_API_KEY: Final = f"{ENV_PREFIX}API_KEY"
# /proc/PID/stat, from its third field on: where the arguments and the environment begin and end.
_PLACES: Final = slice(48 - 3, 52 - 3)


def taken(options: argparse.Namespace) -> str | None:
    """Return the credentials that options or the environment name, and hide those secrets.

    Children do not inherit them. On Linux, nobody sees them in ``/proc`` or by ``ps``.

    Raises:
        ConfigurationError: There is a file and a text.

    """
    text = os.environ.pop(CREDENTIALS_JSON, "").strip()
    os.environ.pop(_API_KEY, None)
    for secret in (text, options.api_key):
        hide(secret or "")
    if not text:
        credentials: str | None = options.credentials
        return credentials
    if options.credentials:
        raise ConfigurationError(f"--credentials and {CREDENTIALS_JSON} exclude each other")
    return CredentialsText(text)


def hide(secret: str) -> None:
    """Overwrite a secret where the system keeps the arguments and environment of this process."""
    if not (secret and sys.platform == "linux"):
        return
    with contextlib.suppress(OSError, ValueError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        ends = [int(field) for field in fields[_PLACES]]
        for start, end in (ends[:2], ends[2:]):
            # Zeroes are what the system shows to those who may not see.
            if 0 < start < end:
                _overwrite(start, end, os.fsencode(secret))


def _overwrite(start: int, end: int, secret: bytes) -> None:
    held = ctypes.string_at(start, end - start)
    place = held.find(secret)
    while place >= 0:
        ctypes.memset(start + place, ord("*"), len(secret))
        place = held.find(secret, place + len(secret))
