"""What operators have paused and asked for, as the working server learns it with its beats."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .log import LOGGER

if TYPE_CHECKING:
    from queued_gspread.broker import Beat
    from queued_gspread.server.pacing.valve import Valve

__all__ = ["Pauses"]


class Pauses:
    """Logs what operators ask for, and lets requests go on whose pause is over.

    Redis decides at each request whether a pause holds it up, so it does not matter when this
    server learns of one. It learns here when one is over.
    """

    def __init__(self) -> None:
        self._valve: Valve | None = None

    def watch(self, valve: Valve) -> None:
        """Let the requests of this valve go on from now on."""
        self._valve = valve

    def rest(self) -> None:
        """Let go of the valve."""
        self._valve = None

    def saw(self, beat: Beat) -> None:
        """Note what a beat has brought."""
        if not beat.epoch:
            return
        for action in beat.actions:
            fields = {"event": "action", "by": action.by, "action": action.what, "why": action.why}
            LOGGER.info("%s asks: %s", action.by, action.shown, extra={"fields": fields})
        for pause in beat.pauses if beat.state == "taken" else ():
            LOGGER.info("as before: %s", pause.shown)
        if self._valve is not None:
            # With every beat: a request may have asked before its pause ended, and wait since.
            self._valve.unpark({pause.key for pause in beat.pauses})
