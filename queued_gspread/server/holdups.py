"""Looks what holds requests up, for callers that wait: with every beat, and never for a call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import (
    AGAIN,
    ALL,
    INTERVAL,
    MEMORY,
    PAUSE,
    QUOTA,
    SENT,
    SHARED,
    Holdup,
    Holdups,
)
from queued_gspread.server.pacing.ticket_queue import SLOTLESS

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.server.google.token_state import TokenState
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.valve import Valve, Waiting

__all__ = ["HoldupReporter"]

# How many lanes are named of each line, and of those that wait for Google.
_MOST: Final = 100
# Seconds after which an answer of Google's is worth a word.
_SLOW: Final = 3.0


class HoldupReporter:
    """Says what holds up the requests of the server that works.

    Args:
        token_state: Whether the server has a usable token.
        window: Seconds of the quota's window.

    """

    def __init__(self, token_state: Callable[[], TokenState], window: float) -> None:
        self._token_state = token_state
        self._window = window
        self._watched: tuple[Valve, Transport] | None = None

    def watch(self, valve: Valve, transport: Transport) -> None:
        """Look at these from now on."""
        self._watched = valve, transport

    def rest(self) -> None:
        """Look at nothing any more: what was looked at knows the queue, and would hold it."""
        self._watched = None

    def look(self) -> str:
        """Return it as it stands in Redis."""
        watched = self._watched
        if watched is None:
            return ""
        valve, transport = watched
        lines, later = valve.look(_MOST)
        kinds = {kind: _holdup(kind, line, self._window) for kind, line in lines.items()}
        lanes = {lane: (AGAIN, max(0.0, left)) for lane, left in later.items()}
        lanes |= {lane: (kind, 0.0) for kind, line in lines.items() for lane in line.lanes}
        slow = [(lane, s) for lane, s in transport.in_the_air().items() if s >= _SLOW]
        lanes |= {lane: (SENT, seconds) for lane, seconds in slow[:_MOST]}
        return Holdups(kinds, lanes, self._without_token()).encode()

    def _without_token(self) -> float | None:
        state = self._token_state()
        # Where there will be none, calls fail at once.
        return None if state.is_usable or math.isinf(state.waited) else state.waited


def _holdup(kind: str, line: Waiting, window: float) -> Holdup:
    permit = line.permit
    of_quota = SHARED if line.is_shared else QUOTA
    why = {PAUSE: PAUSE, ALL: INTERVAL}.get(permit.kind, MEMORY if kind in SLOTLESS else of_quota)
    return Holdup(why, max(0.0, line.left), line.length, permit.limit, window)
