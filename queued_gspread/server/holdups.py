"""Report what holds requests up to callers that wait: with every beat, never for a single call."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from queued_gspread.broker import (
    AGAIN,
    ALL,
    INTERVAL,
    MEMORY,
    MOST_NAMED,
    PAUSE,
    PAUSED,
    QUOTA,
    SENT,
    SHARED,
    Holdup,
    Holdups,
)
from queued_gspread.server.pacing.ticket_queue import SLOTLESS

from .timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from queued_gspread.server.google.token_state import TokenState
    from queued_gspread.server.google.transport import Transport
    from queued_gspread.server.pacing.valve import Valve, Waiting

__all__ = ["HoldupReporter"]


class HoldupReporter:
    """Reports what holds up the requests of the server that works.

    Args:
        token_state: Returns whether the server has a usable token.
        window: Seconds of the quota's window.
        timing: After how long a request that Google has not answered is reported.

    """

    def __init__(
        self, token_state: Callable[[], TokenState], window: float, timing: Timing | None = None
    ) -> None:
        self._token_state = token_state
        self._window = window
        self._slow_answer = (timing or Timing()).slow_answer
        self._watched: tuple[Valve, Transport] | None = None

    def watch(self, valve: Valve, transport: Transport) -> None:
        """Report on this valve and transport from now on."""
        self._watched = valve, transport

    def rest(self) -> None:
        """Let go of the valve and transport: they refer to the queue and would keep it alive."""
        self._watched = None

    def look(self) -> str:
        """Return the report in the form in which Redis stores it."""
        watched = self._watched
        if watched is None:
            return ""
        valve, transport = watched
        queues, later = valve.look(MOST_NAMED)
        kinds = {kind: _holdup(kind, waiting, self._window) for kind, waiting in queues.items()}
        lanes = {lane: (AGAIN, max(0.0, left)) for lane, left in later.items()}
        lanes |= {lane: (kind, 0.0) for kind, waiting in queues.items() for lane in waiting.lanes}
        lanes |= {lane: (PAUSED, 0.0) for lane, _ in valve.parked(MOST_NAMED)}
        slow = [(lane, s) for lane, s in transport.in_the_air().items() if s >= self._slow_answer]
        lanes |= {lane: (SENT, seconds) for lane, seconds in slow[:MOST_NAMED]}
        return Holdups(kinds, lanes, self._without_token()).encode()

    def _without_token(self) -> float | None:
        state = self._token_state()
        # If there will never be one, calls fail at once.
        return None if state.is_usable or math.isinf(state.waited) else state.waited


def _holdup(kind: str, waiting: Waiting, window: float) -> Holdup:
    permit = waiting.permit
    quota = SHARED if waiting.is_shared else QUOTA
    why = {PAUSE: PAUSE, ALL: INTERVAL}.get(permit.kind, MEMORY if kind in SLOTLESS else quota)
    return Holdup(why, max(0.0, waiting.left), waiting.length, permit.limit, window)
