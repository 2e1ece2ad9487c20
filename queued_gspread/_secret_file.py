"""Files that hold a secret: they are read only if others on this machine cannot."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ConfigurationError

if TYPE_CHECKING:
    import os

__all__ = ["content_of"]


def content_of(path: str | os.PathLike[str], shown: str, remedy: str, secret: str) -> bytes:
    """Return the content of a file that holds a secret.

    Args:
        path: Where it is; ``~`` is the user's home.
        shown: What errors call it.
        remedy: What to do if it cannot be read.
        secret: What it holds, in a word.

    Raises:
        ConfigurationError: It cannot be read, or others may read or write it. The text has nothing
            of the content.

    """
    try:
        file = Path(path).expanduser()
        mode, content = file.stat().st_mode, file.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        # A RuntimeError: there is no home.
        reason = getattr(error, "strerror", None) or "it is not a file's name"
        raise ConfigurationError(f"{shown} cannot be read ({reason}): {remedy}") from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise ConfigurationError(
            f"{shown} can be read or written by everyone on this machine: prevent that with "
            f"`chmod o= FILE`, and make a new {secret} if anyone else may have read it"
        )
    return content
