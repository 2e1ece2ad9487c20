"""Fairness between lanes: which lane takes a slot at once, and which at intervals. Pure.

A slot is free again one window after its use. So a lane that takes all of them at once gets all of
them back at once, and a lane that arrives in between waits for most of a window. While more than
one spreadsheet is in use, a lane that has had its share takes slots in two ways, which are counted
separately:

    burst   up to two thirds of the limit, for all lanes together, as soon as they are free
    spaced  the rest, one at a time, spread evenly over a window

and leaves one slot untouched. Burst and spaced add up to the whole limit, so no slot is lost. A
lane that has had less than its share, which is an equal part of the burst, takes any slot that is
free. The lane that has had the fewest goes first.

This module can only delay a request that Redis might let through. Redis alone decides how many
slots there are and whether one is free, so no bound of the quota depends on this. That is why the
memory of one process is enough; a server that takes over starts with an empty one.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Final

from queued_gspread.protocol.routing import ACCOUNT_LANE

if TYPE_CHECKING:
    from queued_gspread.broker import Permit, Slot

__all__ = ["Fairness", "burst_of", "headroom_of", "in_use_for"]

_LONG_WINDOW: Final = 60.0
_IN_USE: Final = 600.0
_WINDOWS_IN_USE: Final = 2
# With fewer slots than this, leaving one untouched would cost too much throughput.
_LEAST_WITH_HEADROOM: Final = 20
# The part of a gap by which a spaced slot that was taken late brings the next one forward, so that
# spaced slots are no fewer when they are asked for only now and then.
_CATCH_UP: Final = 0.5


@cache
def burst_of(limit: int) -> int:
    """Return how many slots may be taken as soon as they are free."""
    return max(1, limit * 2 // 3)


def headroom_of(limit: int) -> int:
    """Return how many slots are reserved for lanes that have had less than their share."""
    return 1 if limit >= _LEAST_WITH_HEADROOM else 0


@cache
def in_use_for(window: float) -> float:
    """Return for how many seconds after its latest request a spreadsheet counts as in use."""
    return _IN_USE if window >= _LONG_WINDOW else _WINDOWS_IN_USE * window


class _Way(Enum):
    """How a slot was taken."""

    BURST = auto()
    SPACED = auto()
    BESIDE = auto()
    """By a lane with less than its share, after the burst was used up."""


@dataclass
class _Kind:
    """The slots for one kind of request that this process has taken and still holds.

    Attributes:
        limit: How many slots there are.
        held: How many each lane holds; lanes without any are left out.
        count: How many are held in all.
        burst: How many of them were taken as part of the burst.
        due: When the next spaced slot may be taken.
        asked: Slots whose end is not known yet, by name: how each was taken, and ``due`` before it.
        ends: When each of the other slots is free, in order, with its lane and how it was taken.

    """

    limit: int
    held: dict[str, int] = field(default_factory=dict)
    count: int = 0
    burst: int = 0
    due: float = -math.inf
    asked: dict[str, tuple[_Way, float]] = field(default_factory=dict)
    ends: deque[tuple[float, str, _Way]] = field(default_factory=deque)

    def has_had_its_share(self, lane: str) -> bool:
        """Return whether a lane holds at least an equal part of the burst."""
        held = self.held.get(lane, 0)
        lanes = len(self.held) + (not held)
        return held >= max(1, burst_of(self.limit) / lanes)

    @property
    def _rest(self) -> int:
        return self.limit - burst_of(self.limit)

    @property
    def _next_spaced(self) -> float:
        return self.due if self._rest else math.inf

    def moment(self) -> float:
        """Return when a lane that has had its share may ask for a slot."""
        end = self.ends[0][0] if self.ends else math.inf
        if self.count >= self.limit - headroom_of(self.limit):
            return end
        return -math.inf if self.burst < burst_of(self.limit) else min(self._next_spaced, end)

    def way(self, lane: str, now: float, *, is_bound: bool) -> _Way:
        """Return how a lane takes a slot now."""
        if is_bound and self.has_had_its_share(lane) and self._next_spaced <= now:
            return _Way.SPACED
        return _Way.BURST if self.burst < burst_of(self.limit) else _Way.BESIDE

    def take(self, slot: Slot, way: _Way, now: float) -> None:
        """Start to count a slot."""
        self.asked[slot.name] = (way, self.due)
        self._count(slot.lane, way, 1)
        if way is _Way.SPACED:
            gap = slot.window / self._rest
            self.due = max(self.due, now - _CATCH_UP * gap) + gap

    def give_up(self, slot: Slot) -> None:
        """Stop counting a slot that was asked for but not granted."""
        way, due = self.asked.pop(slot.name)
        self._count(slot.lane, way, -1)
        if way is _Way.SPACED:
            self.due = min(self.due, due)

    def free(self, now: float) -> list[str]:
        """Stop counting the slots that are free by now; return the lanes that held them."""
        lanes = []
        while self.ends and self.ends[0][0] <= now:
            _, lane, way = self.ends.popleft()
            self._count(lane, way, -1)
            lanes.append(lane)
        return lanes

    def _count(self, lane: str, way: _Way, by: int) -> None:
        self.count += by
        self.burst += by if way is _Way.BURST else 0
        self.held[lane] = self.held.get(lane, 0) + by
        if not self.held[lane]:
            del self.held[lane]


class Fairness:
    """Decides when a request may ask for a slot, and which request goes first.

    A slot without a lane belongs to no lane and does not wait for any. Moments are seconds on one
    monotonic clock. Call :meth:`pass_time` first whenever time has passed.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        # Spreadsheets in use, and until when each counts as such, in that order.
        self._used: OrderedDict[str, float] = OrderedDict()

    def comes(self, slot: Slot, now: float) -> None:
        """Note that a lane wants a slot."""
        if slot.lane in ("", ACCOUNT_LANE):
            return
        self._used[slot.lane] = now + in_use_for(slot.window)
        self._used.move_to_end(slot.lane)

    def rank(self, slot: Slot) -> int:
        """Return how many slots of that kind the lane holds; the lane with fewer goes first."""
        kind = self._kinds.get(slot.line)
        return kind.held.get(slot.lane, 0) if kind is not None else 0

    def moment(self, slot: Slot) -> float:
        """Return when a slot may be asked for; infinite until an answer comes or lanes change."""
        kind = self._kind(slot)
        if kind is None or not self.is_bound or not kind.has_had_its_share(slot.lane):
            return -math.inf
        return kind.moment()

    def ask(self, slot: Slot, now: float) -> None:
        """Note that a slot is asked for; it counts as taken until Redis denies it."""
        kind = self._kind(slot)
        if kind is not None:
            kind.take(slot, kind.way(slot.lane, now, is_bound=self.is_bound), now)

    def told(self, slot: Slot, permit: Permit | None = None) -> None:
        """Note what Redis answered; ``permit`` is None if asking failed."""
        kind = self._kinds.get(slot.line)
        if kind is not None and slot.name in kind.asked and (not permit or permit.word != "go"):
            kind.give_up(slot)
        if permit and permit.word in ("go", "wait") and slot.lane:
            self._limit(slot, permit.limit)

    def answered(self, slot: Slot, now: float) -> None:
        """Note that a request was answered: its slot is free one window later."""
        kind = self._kinds.get(slot.line)
        if kind is not None and slot.name in kind.asked:
            way, _ = kind.asked.pop(slot.name)
            kind.ends.append((now + slot.window, slot.lane, way))

    def pass_time(self, now: float) -> list[tuple[str, str]]:
        """Forget what is over; return kind and lane of each slot that is free by now."""
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        return [(name, lane) for name, kind in self._kinds.items() for lane in kind.free(now)]

    @property
    def in_use(self) -> int:
        """How many spreadsheets are in use, as far as slots are shared out between them."""
        return len(self._used)

    @property
    def is_bound(self) -> bool:
        """Whether lanes are held to their share: more than one spreadsheet is in use."""
        return len(self._used) > 1

    def _kind(self, slot: Slot) -> _Kind | None:
        if slot.lane and slot.limit and slot.line not in self._kinds:
            self._kinds[slot.line] = _Kind(slot.limit)
        return self._kinds.get(slot.line) if slot.lane else None

    def _limit(self, slot: Slot, limit: int) -> None:
        """Note the current limit; without one, slots of that kind are no longer counted."""
        if not limit:
            self._kinds.pop(slot.line, None)
        elif slot.line in self._kinds:
            self._kinds[slot.line].limit = limit
        else:
            self._kinds[slot.line] = _Kind(limit)
