"""What operators have paused, as Redis has it: what is held up, since when, by whom, and why. Pure.

It is a field of the hash ``server``, a line for each pause, which every script reads that has to
know. Anyone may have written it: what cannot be read counts as nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread._clock import shown_utc

from .connection.client import as_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "DRAIN",
    "EVERYTHING",
    "LONGEST_WHY",
    "MOST_PAUSES",
    "READS",
    "WRITES",
    "Pause",
    "drain_in",
    "one_line",
    "pause_of",
    "pauses_of",
    "scope_of",
]

EVERYTHING, READS, WRITES = "all", "read", "write"
"""What a pause holds up: requests of every kind, those that only read, or the others."""

DRAIN: Final = "drain"
"""The same of what is no pause: the queue takes no new calls."""

MOST_PAUSES: Final = 100
"""How many there may be at a time: the server reads them with every request."""

LONGEST_WHY: Final = 200

_LONGEST_BY: Final = 100
# As pause.lua writes it; a time is that of Redis, in milliseconds.
_LINE: Final = re.compile(r"((all|read|write|drain):([\w~-]*)) (\d{1,13}) (\S+) (.*)", re.ASCII)
_SHOWN: Final = {EVERYTHING: "all calls", READS: "reads", WRITES: "writes"}


@dataclass(frozen=True)
class Pause:
    """What somebody has paused, or that the queue takes no new calls.

    Attributes:
        what: What it holds up.
        lane: The spreadsheet's lane; '' for all of them.
        since: Since when, in seconds of Redis's clock.
        by: Who asked for it: user and host.
        why: The reason that was given; '' for none.

    """

    what: str
    lane: str
    since: float
    by: str
    why: str = ""

    @property
    def scope(self) -> str:
        """By what Redis knows it."""
        return scope_of(self.what, self.lane)

    @property
    def key(self) -> str:
        """Identifies it: a later pause of the same scope is another one."""
        return f"{self.scope} {round(self.since * 1000)}"

    @property
    def is_drain(self) -> bool:
        """Whether it holds up nothing, and keeps new calls out."""
        return self.what == DRAIN

    @property
    def shown(self) -> str:
        """It in words, as a sentence without a full stop."""
        since = shown_utc(self.since)
        why = f": {self.why}" if self.why else ""
        if self.is_drain:
            return f"drained by {self.by} since {since}{why}"
        where = f" of the spreadsheet {self.lane}" if self.lane else ""
        return f"{_SHOWN[self.what]}{where} are paused by {self.by} since {since}{why}"


def scope_of(what: str, lane: str = "") -> str:
    """Return by what Redis knows a pause."""
    return f"{what}:{lane}"


def one_line(text: str, longest: int = LONGEST_WHY) -> str:
    """Return a text as one printable line, cut off where it is too long."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def pauses_of(text: bytes | str) -> tuple[Pause, ...]:
    """Return what is paused, in the order in which it was; nothing if it was not written so."""
    matches = map(_LINE.fullmatch, as_text(text).split("\n"))
    return tuple(_pause(match) for match in matches if match)


def _pause(match: re.Match[str]) -> Pause:
    _, what, lane, since, by, why = match.groups()
    return Pause(what, lane, int(since) / 1000, one_line(by, _LONGEST_BY), one_line(why))


def drain_in(pauses: Iterable[Pause]) -> Pause | None:
    """Return that the queue takes no new calls, if it is so."""
    return next((pause for pause in pauses if pause.is_drain), None)


def pause_of(pauses: Sequence[Pause], lane: str, *, is_held_up: bool) -> Pause | None:
    """Return the pause that holds up the calls of a spreadsheet, if any does.

    Args:
        pauses: All of them.
        lane: The spreadsheet's lane.
        is_held_up: Whether a pause may hold it up that is for reads or writes alone.

    """
    there = [pause for pause in pauses if not pause.is_drain and pause.lane in ("", lane)]
    whole = [pause for pause in there if pause.what == EVERYTHING]
    return next(iter(whole or (there if is_held_up else ())), None)
