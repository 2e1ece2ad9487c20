"""Fairness between lanes: who takes a slot of the quota as it comes, and who at intervals. Pure.

A slot comes back one window after its use. So whoever takes all of them at once has them all back
at once, and whoever comes in between waits for most of a window. While more than one spreadsheet is
in use, a lane that has had its share therefore takes slots in two ways, each counted for itself:

    burst   up to two thirds of the limit, of all lanes together, as soon as they are free
    spaced  the rest, one after the other, as many as there are of them evenly over a window

and leaves one slot untouched. As both together are the whole limit, no slot is lost by that. A lane
that has had less than its share, which is an equal part of the burst, takes any slot that is free;
and who has had less goes first.

What is said here only delays a request that Redis might let through: how many slots there are, and
whether one is free, is for Redis to say, so no bound of the quota depends on it. The memory of this
process is enough for that; a server that takes over begins with none.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from queued_gspread.protocol.routing import ACCOUNT_LANE

if TYPE_CHECKING:
    from queued_gspread.broker import Permit, Slot

__all__ = ["Fairness", "burst_of", "headroom_of", "in_use_for"]

_LONG_WINDOW: Final = 60.0
_IN_USE: Final = 600.0
_WINDOWS_IN_USE: Final = 2
# Of fewer slots than this, one that is left untouched is too much of the throughput.
_LEAST_WITH_HEADROOM: Final = 20
# By how much of a gap a spaced slot that was late lets the next one come earlier, so that those
# that are asked for seldom are no fewer for that.
_CATCH_UP: Final = 0.5


def burst_of(limit: int) -> int:
    """Return how many slots may be taken as they come."""
    return max(1, limit * 2 // 3)


def headroom_of(limit: int) -> int:
    """Return how many slots are left to lanes that have had less than their share."""
    return 1 if limit >= _LEAST_WITH_HEADROOM else 0


def in_use_for(window: float) -> float:
    """Return for how many seconds after its latest request a spreadsheet counts as in use."""
    return _IN_USE if window >= _LONG_WINDOW else _WINDOWS_IN_USE * window


class _Way(Enum):
    """How a slot was taken."""

    BURST = auto()
    SPACED = auto()
    BESIDE = auto()
    """By a lane with less than its share, where the burst was used up."""


@dataclass
class _Kind:
    """The slots of one kind of request that this process has taken and that are still held.

    Attributes:
        limit: How many there are.
        held: By lane; a lane without any is not in it.
        count: All of them.
        burst: Those that were taken as they came.
        due: When the next spaced one may be taken.
        asked: Those without an end yet, by name: how they are taken, and what was due before.
        ends: When the others are free, in order.

    """

    limit: int
    held: dict[str, int] = field(default_factory=dict)
    count: int = 0
    burst: int = 0
    due: float = -math.inf
    asked: dict[str, tuple[_Way, float]] = field(default_factory=dict)
    ends: deque[tuple[float, str, _Way]] = field(default_factory=deque)

    def has_had_its_share(self, lane: str) -> bool:
        """Tell whether a lane holds at least an equal part of the burst."""
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
        """Count a slot."""
        self.asked[slot.name] = (way, self.due)
        self._count(slot.lane, way, 1)
        if way is _Way.SPACED:
            gap = slot.window / self._rest
            self.due = max(self.due, now - _CATCH_UP * gap) + gap

    def give_up(self, slot: Slot) -> None:
        """Count a slot no more that was asked for in vain."""
        way, due = self.asked.pop(slot.name)
        self._count(slot.lane, way, -1)
        if way is _Way.SPACED:
            self.due = min(self.due, due)

    def free(self, now: float) -> list[str]:
        """Count those no more that are free by now; return whose they were."""
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
    """Says of requests that want a slot when they may ask for it, and who of them goes first.

    A slot without a lane is nobody's, and waits for nobody. Moments are of one monotonic clock, in
    seconds. :meth:`pass_time` comes first, wherever time has passed.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        # Spreadsheets in use, with the moment until which they are, in order.
        self._used: OrderedDict[str, float] = OrderedDict()

    def comes(self, slot: Slot, now: float) -> None:
        """Note that a lane wants a slot."""
        if slot.lane in ("", ACCOUNT_LANE):
            return
        self._used[slot.lane] = now + in_use_for(slot.window)
        self._used.move_to_end(slot.lane)

    def rank(self, slot: Slot) -> int:
        """Return how many slots of that kind the lane holds: who has fewer goes first."""
        kind = self._kinds.get(slot.kind)
        return kind.held.get(slot.lane, 0) if kind is not None else 0

    def moment(self, slot: Slot) -> float:
        """Return when a slot may be asked for; infinite if not before an answer or new lanes."""
        kind = self._kind(slot)
        if kind is None or not self.is_bound or not kind.has_had_its_share(slot.lane):
            return -math.inf
        return kind.moment()

    def ask(self, slot: Slot, now: float) -> None:
        """Note that a slot is asked for, which counts until Redis says otherwise."""
        kind = self._kind(slot)
        if kind is not None:
            kind.take(slot, kind.way(slot.lane, now, is_bound=self.is_bound), now)

    def told(self, slot: Slot, permit: Permit | None = None) -> None:
        """Note what came of asking; None where that failed."""
        kind = self._kinds.get(slot.kind)
        if kind is not None and slot.name in kind.asked and (not permit or permit.word != "go"):
            kind.give_up(slot)
        if permit and permit.word in ("go", "wait") and slot.lane:
            self._limit(slot, permit.limit)

    def answered(self, slot: Slot, now: float) -> None:
        """Note that a request was answered: its slot is free one window later."""
        kind = self._kinds.get(slot.kind)
        if kind is not None and slot.name in kind.asked:
            way, _ = kind.asked.pop(slot.name)
            kind.ends.append((now + slot.window, slot.lane, way))

    def pass_time(self, now: float) -> list[tuple[str, str]]:
        """Forget what is over; return the kinds and lanes of slots that are free by now."""
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        return [(name, lane) for name, kind in self._kinds.items() for lane in kind.free(now)]

    @property
    def is_bound(self) -> bool:
        """Whether lanes are held to their share: more than one spreadsheet is in use."""
        return len(self._used) > 1

    def _kind(self, slot: Slot) -> _Kind | None:
        if slot.lane and slot.limit and slot.kind not in self._kinds:
            self._kinds[slot.kind] = _Kind(slot.limit)
        return self._kinds.get(slot.kind) if slot.lane else None

    def _limit(self, slot: Slot, limit: int) -> None:
        """Note the limit that holds now; where there is none any more, nothing is counted."""
        if not limit:
            self._kinds.pop(slot.kind, None)
        elif slot.kind in self._kinds:
            self._kinds[slot.kind].limit = limit
        else:
            self._kinds[slot.kind] = _Kind(limit)
