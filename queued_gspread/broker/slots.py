"""What the servers' side of the queue says of the quota, as data; see ``lua/quota.lua``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["ALL", "KINDS", "NO_SLOT", "Due", "Pace", "Permit", "Setback", "Slot"]

KINDS: Final = ("read", "write", "drive")
"""The kinds of request that have a quota each: reads and writes of the Sheets API, and Drive."""

ALL: Final = "all"
"""What a :class:`Permit` names in the place of a kind where requests of all kinds wait."""

# What Google allows a project of reads, and of writes, in a minute, unless it has raised that.
_GOOGLES: Final = 300


@dataclass(frozen=True)
class Slot:
    """A slot of the quota that a request asks for.

    Attributes:
        kind: One of :data:`KINDS`; '' for a request that takes no slot.
        name: What it is called; the same when it is asked for again.
        limit: How many slots of that kind there are; 0 for any number.
        window: Seconds for which it is held after the response.
        interval: Seconds between two requests of whatever kind, at the least.

    """

    kind: str = ""
    name: str = ""
    limit: int = 0
    window: float = 60.0
    interval: float = 0.0

    def args(self) -> list[Any]:
        """Return it as the arguments of ``start.lua``."""
        window, interval = milliseconds(self.window), milliseconds(self.interval)
        return [self.kind, self.name, self.limit, window, interval]

    @property
    def is_noted(self) -> bool:
        """Whether Redis has to know when its request is answered."""
        return self.kind != "" and self.limit > 0


NO_SLOT: Final = Slot()


@dataclass
class Due:
    """A slot that is to be given back: its request was answered.

    Attributes:
        slot: The slot.
        sent: When its request was sent, as its permit says.
        is_settled: Whether Redis knows.

    """

    slot: Slot
    sent: int
    is_settled: bool = False


@dataclass(frozen=True)
class Permit:
    """Whether a request may be sent.

    Attributes:
        word: ``go``, ``wait``, or what became of all jobs: ``withdrawn`` or ``late``.
        wait: Seconds; infinite if it is not known before a response comes.
        kind: Which kind of request waits that long, or :data:`ALL`.
        sent: When it was given, on Redis's clock.
        is_trial: Whether the latest request of its kind was refused for the quota: then Redis
            has to know what comes of this one.
        is_held: Whether it holds a slot: after refusals, also where no limit is configured.
        words: Of each job with a share in the request: ``go``, ``withdrawn`` or ``late``; empty
            where the same is true of all.

    """

    word: str
    wait: float = 0.0
    kind: str = ""
    sent: int = 0
    is_trial: bool = False
    is_held: bool = False
    words: tuple[str, ...] = ()

    def word_of(self, place: int) -> str:
        """Return what became of the job at a place, from 0."""
        return self.words[place] if self.words else self.word


@dataclass(frozen=True)
class Setback:
    """How a kind of request is limited, after a response.

    Attributes:
        limit: Slots that it has now; below the configured limit for a while after a refusal.
        pause: Seconds for which none is sent; 0 unless the response was a refusal.

    """

    limit: int
    pause: float


class Pace:
    """Counts the requests of kinds without a limit: a refusal shows that there is one.

    It is an estimate, and takes no lock: two threads may count as one.
    """

    def __init__(self) -> None:
        # The number of a window, how many were sent in it, and how many in the one before.
        self._counts: dict[str, tuple[int, int, int]] = {}

    def note(self, slot: Slot, sent: int) -> None:
        """Note a request that is sent, at a time of Redis's."""
        number = sent // milliseconds(slot.window)
        known, count, before = self._counts.get(slot.kind, (number, 0, 0))
        if number != known:
            count, before = 0, count if number == known + 1 else 0
        self._counts[slot.kind] = (number, count + 1, before)

    def supposed(self, kind: str) -> int:
        """Return the limit that a refusal shows: what a window had, and Google's own at least."""
        _, count, before = self._counts.get(kind, (0, 0, 0))
        return max(count, before, _GOOGLES)


def milliseconds(seconds: float) -> int:
    """Return whole milliseconds, never fewer than asked for."""
    return math.ceil(round(seconds * 1000, 6))


def permit_of(found: list[Any]) -> Permit:
    """Return what ``start.lua`` has answered."""
    word = found[0].decode()
    if word == "wait":
        wait = math.inf if found[1] < 0 else found[1] / 1000
        return Permit(word, wait, found[2].decode())
    words = tuple(each.decode() for each in found[4:])
    if word == "go":
        is_trial, is_held = map(bool, found[2:4])
        return Permit(word, sent=int(found[1]), is_trial=is_trial, is_held=is_held, words=words)
    return Permit(words[0], words=words)
