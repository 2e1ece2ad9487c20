"""How long a call that is put in now waits for the quota, at the most. Pure.

With *k* requests ahead, a request gets the slot that is released as the *k*-th, counted from those
that are free. A slot that a request ahead takes on the way is released one window after its answer.
"At most", since merging only makes requests fewer. A slot whose request Google has not answered yet
is released nobody knows when; what would need it is not known either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from queued_gspread.broker import CERTAIN, SHARED, SPACED, Holdup, bound

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["IN_THE_AIR", "Expected", "Slots", "in_kind", "in_lane", "unknown"]

IN_THE_AIR: Final = "it depends on a request that Google has not answered yet"
"""Why an expected wait is not known, if no server and no pause is in its way."""


@dataclass(frozen=True)
class Expected:
    """How long a call that is put in now waits until its first request may be sent.

    Attributes:
        at_most: The seconds; None if that is not known.
        why: Why it is not known; '' if it is.

    """

    at_most: float | None
    why: str = ""


@dataclass(frozen=True)
class Slots:
    """The slots of one kind of request.

    Attributes:
        limit: How many there are; 0 for no limit.
        releases: The seconds until each that is held is free; infinite for one whose request is in
            the air.
        window: The seconds for which one is held after its answer.
        interval: The least seconds between two requests.
        slowest: The seconds that Google takes for an answer, at the most.

    """

    limit: int
    releases: Sequence[float] = ()
    window: float = 60.0
    interval: float = 0.0
    slowest: float = 0.0

    def until(self, ahead: int) -> float:
        """Return the seconds until a request gets a slot, at the most.

        Infinite if that depends on an answer.

        Args:
            ahead: How many requests get one first.

        """
        spacing = (ahead + 1) * self.interval
        if not self.limit:
            return spacing
        free = self.limit - len(self.releases)
        # While the limit is lower than what is held, the first releases give no slot.
        released = [0.0] * free + sorted(self.releases)[max(0, -free) :]
        rounds, place = divmod(ahead, self.limit)
        return released[place] + rounds * (self.window + self.slowest) + spacing


def unknown(why: str) -> Expected:
    """Return that an expected wait is not known, and why."""
    return Expected(None, why)


def in_kind(slots: Slots, lanes: int) -> Expected:
    """Return the expected wait of a call to a spreadsheet that is not in use.

    A lane without slots goes before all that have some, so each other lane sends one request first
    at the most.

    Args:
        slots: The slots of the call's kind.
        lanes: How many lanes wait for one.

    """
    return _known(slots.until(lanes))


def in_lane(slots: Slots, calls: int, others: int, *, is_shared: bool = False) -> Expected:
    """Return the expected wait of a call to a lane, each of its calls taking one request.

    Args:
        slots: The slots of the kind that the lane's calls take.
        calls: How many calls the lane holds.
        others: How many other spreadsheets are in use; with more of them it may be longer.
        is_shared: Whether the server shares the slots out between spreadsheets.

    """
    if slots.limit and others and (calls or is_shared):
        turns = (calls + 1) * (others + 1)
        # A lane that has had its share takes further slots at intervals, and one whose requests
        # Google answers sooner is back in line sooner.
        holdup = Holdup(SHARED, 0.0, others + 1, slots.limit, slots.window)
        seconds = bound(holdup, calls) + turns * slots.interval
        if is_shared:
            seconds = min(seconds, _shared(slots, turns))
    else:
        seconds = slots.until(calls + others)
    # Requests of a lane go one after the other.
    return _known(seconds + calls * slots.slowest)


def _shared(slots: Slots, turns: int) -> float:
    """Return the seconds until a lane has had its turn, where slots are shared out.

    It is kept from slots that are free for no longer than a window: then all others have had as
    many. What may be taken as soon as it is free keeps nobody waiting.
    """
    at_once = slots.limit - math.ceil(slots.limit * SPACED)
    if len(slots.releases) + turns <= at_once:
        return turns * slots.interval
    return slots.until(math.ceil(turns / CERTAIN) - 1) + slots.window


def _known(seconds: float) -> Expected:
    return unknown(IN_THE_AIR) if math.isinf(seconds) else Expected(seconds)
