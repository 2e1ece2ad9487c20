"""Whether what units came to is what one order of them comes to: a search, pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .model import ANY, LOST, after

__all__ = ["Made", "is_serial"]


@dataclass
class Made:
    """What a unit came to.

    Attributes:
        caller: Who made it.
        steps: Its calls, with what each came to.
        began: When it began, on this machine's monotonic clock.
        ended: When it had ended.

    """

    caller: str
    began: float
    ended: float = float("inf")
    steps: list[tuple[Any, Any]] = field(default_factory=list)

    @property
    def books(self):
        return {step.book for step, _ in self.steps}

    def comes_before(self, other):
        """Return whether it must, as it had ended, or is the same caller's in the same lane."""
        is_first = self.caller == other.caller and self.began < other.began
        return self.ended < other.began or (is_first and bool(self.books & other.books))


def is_serial(units, first, last, *, may_lose=False):
    """Return whether some order of units leads from a state to another, with all their results.

    Args:
        units: What they came to.
        first: The spreadsheets before.
        last: The spreadsheets afterwards.
        may_lose: Whether a lock may have been lost: then the rest of its block was not made.

    """
    if not may_lose and any(result == LOST for unit in units for _, result in unit.steps):
        return False
    before = [
        sum(1 << place for place, other in enumerate(units) if other.comes_before(unit))
        for unit in units
    ]
    everything, seen, open_ = (1 << len(units)) - 1, set(), [(0, (*first, ()))]
    while open_:
        done, state = open_.pop()
        if done == everything and state[:-1] == last:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        for place, unit in enumerate(units):
            is_next = not done >> place & 1 and before[place] & ~done == 0
            if is_next:
                following = _after_unit(state, unit, may_lose=may_lose)
                open_ += [(done | 1 << place, each) for each in following]
    return False


def _after_unit(state, unit, *, may_lose):
    """Return the states after a unit; none if it cannot have come to what it has."""
    found = [state]
    for step, result in unit.steps:
        ways = [ANY, LOST] if result == ANY and may_lose else [result]
        found = {after(each, step, way) for each in found for way in ways} - {None}
    return found
