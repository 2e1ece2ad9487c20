"""Files that only their owner may read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from pathlib import Path

_MODE = 0o600


def open_owner_only(path: str | Path) -> TextIO:
    """Open a file for writing from the start; an existing one becomes its owner's alone first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    file = os.fdopen(os.open(path, flags, _MODE), "w", encoding="utf-8")
    if hasattr(os, "fchmod"):  # not on Windows, where a new file belongs to its folder's users
        os.fchmod(file.fileno(), _MODE)
    return file


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON to a file that only its owner may read."""
    text = json.dumps(content, indent=2) + "\n"
    with open_owner_only(path) as file:
        file.write(text)
