"""What operators have paused and asked for, as a part of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from queued_gspread import broker

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Action", "Pause", "action_of", "pause_of", "paused_for"]


@dataclass(frozen=True)
class Pause:
    """What an operator has paused, or that the queue takes no new calls.

    Attributes:
        what: ``all``, ``read`` or ``write``; ``drain`` if new calls are refused.
        lane: The spreadsheet's lane; '' for all of them.
        since: How long ago it began.
        by: Who asked for it.
        why: The reason that was given; '' for none.
        text: All of that as a sentence.

    """

    what: str
    lane: str
    since: float
    by: str
    why: str
    text: str

    @property
    def short(self) -> str:
        """By whom and why."""
        done = "drained" if self.what == broker.DRAIN else "paused"
        return f"{done} by {self.by}" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True)
class Action:
    """What an operator has asked for.

    Attributes:
        at: When.
        by: Who.
        what: What, in words.
        why: The reason that was given; '' for none.

    """

    at: float
    by: str
    what: str
    why: str


def pause_of(pause: broker.Pause, now: float) -> Pause:
    """Return a pause as it is at a moment."""
    since = max(0.0, now - pause.since)
    return Pause(pause.what, pause.lane, since, pause.by, pause.why, pause.shown)


def action_of(action: broker.Action) -> Action:
    """Return an action."""
    return Action(action.at, action.by, action.what, action.why)


def paused_for(pauses: Iterable[Pause], kind: str, lane: str = "") -> Pause | None:
    """Return what holds up requests of a kind, if anything does.

    Args:
        pauses: What is paused. That the queue takes no new calls holds up none.
        kind: The kind; Drive's requests may read or write, so either pause may hold them up.
        lane: The spreadsheet's lane; '' for one that nothing is said of.

    """
    what = {broker.EVERYTHING, kind}
    if kind == "drive":
        what |= {broker.READS, broker.WRITES}
    found = (pause for pause in pauses if pause.lane in ("", lane) and pause.what in what)
    return next(found, None)
