"""Formats of the queue: what a client and a server see, and are told, of another one than theirs.

Each format has keys of its own (:mod:`queued_gspread.broker.keys`), so that nobody reads, or waits
in, what another format means. All share the list of the formats that have had a server in the
namespace; by it, scripts find their servers and what waits for them.
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

# Seconds: each server beats once in one. Where Redis comes back empty, or its clock is set, one of
# another format may be the first to do so.
_BEATS: Final = 1.9


@dataclass(frozen=True)
class Other:
    """Another format of the queue that has something in the namespace.

    Attributes:
        number: Its number; 1 for the first one, which has none in its keys.
        about: What its server says of itself; '' where none is alive.
        waiting: How many calls wait for it.
        caller: Who has put one of them in, and with which version, where that can be read.

    """

    number: int
    about: str = ""
    waiting: int = 0
    caller: str = ""


class Sighted:
    """Since when a caller has seen servers of other formats, and none of its own."""

    def __init__(self) -> None:
        self._since = math.inf

    def are_all(self, others: Sequence[Other]) -> bool:
        """Note which were seen; tell whether a server of its own would have been seen by now."""
        self._since = min(self._since, now()) if others else math.inf
        return now() - self._since >= _BEATS


def others_of(found: Sequence[Any]) -> list[Other]:
    """Return the formats whose servers are alive, as ``alive.lua`` tells."""
    return [Other(int(number), as_text(about) or "a server") for number, about in found]


def waiting_of(found: Sequence[Any]) -> list[Other]:
    """Return the formats that have a server alive, or calls that wait, as ``formats.lua`` tells."""
    return [
        Other(int(number), (as_text(about) or "a server") if alive else "", waiting, _caller(body))
        for number, alive, about, waiting, body in found
        if alive or waiting > 0
    ]


def _caller(body: bytes) -> str:
    """Return who wrote a job, as far as a job of whatever format can be read."""
    try:
        job = json.loads(body)
        host, process = job["caller"]
        return f"{host}:{process}, queued_gspread {job['versions'][0]}"
    except (ValueError, TypeError, LookupError, RecursionError):
        return ""


def shown_others(others: Sequence[Other]) -> str:
    """Return which servers of other formats are alive."""
    return " and ".join(f"{other.about} with queue format {other.number}" for other in others)


def differs(
    where: str, others: Sequence[Other], fate: str
) -> VersionMismatchError | ServerUnavailableError:
    """Return the error of a caller whose format has no server while another one has.

    Args:
        where: The namespace.
        others: The formats whose servers are alive.
        fate: What became of the call.

    """
    is_older = any(other.number > FORMAT for other in others)
    told = (
        f"no server is alive in {where} that reads queue format {FORMAT}, which this client "
        f"(queued_gspread {__version__}) writes: {shown_others(others)} works there. So "
        f"{meaning(fate)}. {_CLIENT if is_older else _SERVER_FIRST}"
    )
    if fate in UNDONE:
        return VersionMismatchError(told)
    return flagged(ServerUnavailableError(told), fate)
