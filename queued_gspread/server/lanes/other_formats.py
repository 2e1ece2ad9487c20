"""Log lines about other queue formats in the namespace: their servers and calls.

This server does not use their keys in its own work. It reports that they exist, since no other
program may: the calls of an old client wait in a format that no longer has a server.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import FORMAT
from queued_gspread.errors import BrokerUnavailableError
from queued_gspread.server.log import LOGGER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from queued_gspread.broker import Consumer, Other

__all__ = ["OtherFormats"]

_EVERY: Final = 2.0


class OtherFormats:
    """Looks for other formats now and then, and logs what has changed.

    Args:
        queue: The servers' side of the queue.
        window: Seconds for which the slots of a dead server of another format stay held.
        clock: A monotonic clock, in seconds.

    """

    def __init__(
        self, queue: Consumer, window: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._queue = queue
        self._window = window
        self._clock = clock
        self._next = clock()
        self._known: dict[int, tuple[str, bool]] = {}

    def look(self) -> None:
        """Look, if it is time."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY
        try:
            found = self._queue.others(self._window)
        except BrokerUnavailableError:
            return  # the lease's thread logs it
        known = {other.number: (other.about, other.waiting > 0) for other in found}
        for text in told(self._known, found):
            LOGGER.warning(text)
        self._known = known


def told(known: dict[int, tuple[str, bool]], found: Sequence[Other]) -> list[str]:
    """Return a text for each change among other formats.

    Args:
        known: What was known about each: its server, and whether calls wait for it.
        found: What exists now.

    """
    texts = [
        _text(other)
        for other in found
        if known.get(other.number) != (other.about, other.waiting > 0)
    ]
    gone = sorted(set(known) - {other.number for other in found})
    return texts + [f"nothing of queue format {number} is left here" for number in gone]


def _text(other: Other) -> str:
    waiting = f"calls that wait: {other.waiting}"
    if other.waiting and other.caller:
        waiting += f", one from {other.caller}"
    if other.about:
        return (
            f"beside this server, which reads queue format {FORMAT}, {other.about} works for queue "
            f"format {other.number} ({waiting}). Stop it when none waits (docs/upgrading.md)"
        )
    return (
        f"calls wait here in queue format {other.number} ({waiting}), for which no server is "
        f"alive; this one reads format {FORMAT}. Upgrade their clients, or have a server of that "
        "format work beside this one (docs/upgrading.md)"
    )
