"""Formats of the queue: what a client or a server sees of formats other than its own.

Each format has its own keys (:mod:`queued_gspread.broker.keys`), so that no client or server reads
or waits in another format's queue. All share the list of the formats that have had a server in the
namespace; scripts use it to find their servers and waiting jobs.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from queued_gspread._clock import now
from queued_gspread._version import __version__
from queued_gspread.broker.connection.client import as_text
from queued_gspread.errors import ServerUnavailableError, VersionMismatchError

from .keys import FORMAT
from .withdrawal import UNDONE, flagged, meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Other", "Sighted", "differs", "others_of", "shown_others", "waiting_of"]

_SERVER_FIRST: Final = (
    "Upgrade the server first: one of this version can work beside the old one, which works off "
    "what waits for it (docs/upgrading.md)"
)
_CLIENT: Final = "Upgrade this client to the server's version (docs/upgrading.md)"

# In seconds; each server beats once a second. After Redis came back empty, or its clock was set, a
# server of another format may be the first to beat.
_BEATS: Final = 1.9


@dataclass(frozen=True)
class Other:
    """Another queue format that has something in the namespace.

    Attributes:
        number: Its number; 1 for the first format, which has none in its keys.
        about: Its server's description; '' if none is alive.
        waiting: How many calls wait for it.
        caller: The caller of one of them, and its version, if that can be read.

    """

    number: int
    about: str = ""
    waiting: int = 0
    caller: str = ""


class Sighted:
    """How long a caller has seen servers of other formats and none of its own."""

    def __init__(self) -> None:
        self._since = math.inf

    def are_all(self, others: Sequence[Other]) -> bool:
        """Note the servers seen; return whether one of its own format would have shown by now."""
        self._since = min(self._since, now()) if others else math.inf
        return now() - self._since >= _BEATS


def others_of(result: Sequence[Any]) -> list[Other]:
    """Return the formats whose servers are alive, from the result of ``alive.lua``."""
    return [Other(int(number), as_text(about) or "a server") for number, about in result]


def waiting_of(result: Sequence[Any]) -> list[Other]:
    """Return the formats with a living server or waiting calls, from ``formats.lua``."""
    return [
        Other(int(number), (as_text(about) or "a server") if alive else "", waiting, _caller(body))
        for number, alive, about, waiting, body in result
        if alive or waiting > 0
    ]


def _caller(body: bytes) -> str:
    """Return a job's caller, if a job of that format can be read."""
    try:
        job = json.loads(body)
        host, process = job["caller"]
        return f"{host}:{process}, queued_gspread {job['versions'][0]}"
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def shown_others(others: Sequence[Other]) -> str:
    """Return the servers of other formats, in words."""
    return " and ".join(f"{other.about} with queue format {other.number}" for other in others)


def differs(
    where: str, others: Sequence[Other], fate: str
) -> VersionMismatchError | ServerUnavailableError:
    """Return the error for a caller whose format has no server while another format has one.

    Args:
        where: The namespace.
        others: The formats whose servers are alive.
        fate: The fate of the call.

    """
    is_older = any(other.number > FORMAT for other in others)
    message = (
        f"no server is alive in {where} that reads queue format {FORMAT}, which this client "
        f"(queued_gspread {__version__}) writes: {shown_others(others)} works there. So "
        f"{meaning(fate)}. {_CLIENT if is_older else _SERVER_FIRST}"
    )
    if fate in UNDONE:
        return VersionMismatchError(message)
    return flagged(ServerUnavailableError(message), fate)
